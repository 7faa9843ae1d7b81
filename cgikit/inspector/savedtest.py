"""A recorded request as the source of a test for pytest, with `cgikit.testing.Client`. Pure.

Whatever came from outside is in the source as a literal of Python (`repr`). Secrets are left out; a
test that needs one is skipped until somebody has put it there.
"""

import keyword
import os
import re
from urllib.parse import quote

from cgikit.host.output import LocalRedirect, ScriptResponse
from cgikit.maskedenviron import HIDDEN
from cgikit.querystring import build

from .exchange import Exchange, ScriptRun
from .hiding import Hiding
from .maskedbody import URLENCODED
from .parts import Parts, header_block

#: Fields that a script's answer depends on rarely, and that every browser sends differently.
_LEFT_OUT = frozenset(
    (
        *("accept-encoding", "authorization", "cache-control", "connection", "content-length"),
        *("cookie", "dnt", "host", "origin", "pragma", "priority", "proxy-authorization"),
        *("referer", "te", "transfer-encoding", "upgrade-insecure-requests", "user-agent"),
    )
)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,255})(:[0-9]{1,5})?")
_FORGERY = re.compile(r"(?i)csrf|xsrf|authenticity|^_?token$")
_CREDENTIALS = ("authorization", "proxy-authorization")
_SKIP = (
    '@pytest.mark.skip(reason="put the secrets in the places of (hidden), then remove this line")'
)


def file_name(run: ScriptRun, method: str) -> str:
    """Return the name of the file for a test of a script, without `.py` (str)."""
    return (
        f"test_{_identifier(os.path.splitext(os.path.basename(run.file))[0])}_{_identifier(method)}"
    )


def source(exchange: Exchange) -> str:
    """Return the source of the test (str). The request must have run a script, whose whole input was
    kept.
    """
    run = exchange.runs[0]
    parts = Parts(exchange)
    hiding = Hiding(exchange, parts.fields)
    script = os.path.basename(run.file)
    arguments = [*_headers(exchange, parts, hiding), *_body(exchange, parts, hiding)]
    options = _options(exchange, run)
    test = "\n".join(
        (
            f"def {file_name(run, exchange.request.method)}(tmp_path: Path) -> None:",
            "    # The script changes a copy of its directory, and not the data beside it",
            '    copy = tmp_path / "copy"',
            "    shutil.copytree(SCRIPT.parent, copy, ignore_dangling_symlinks=True)",
            *_remarks(exchange, parts),
            f"    with Client(copy / SCRIPT.name{options}) as client:",
            "        answer = client.request(",
            f"            {_literal(exchange.request.method)},",
            f"            {_literal(_path(run, hiding))},",
            *(f"            {argument}," for argument in arguments),
            "        )",
            *_checks(exchange, run, hiding),
        )
    )
    is_skipped = HIDDEN in test or any(exchange.header(name) for name in _CREDENTIALS)
    imports = ["from cgikit.testing import Client"]
    if is_skipped:
        test = f"{_SKIP}\n{test}"
        imports.insert(0, "import pytest\n")
    return "\n".join(
        (
            '"""Written by the inspector of cgikit serve, from a request that it had seen."""',
            "",
            "import shutil",
            "from pathlib import Path",
            "",
            *imports,
            "",
            f"SCRIPT = Path(__file__).parents[1] / {_literal(script)}",
            "",
            "",
            test,
            "",
        )
    )


def _path(run: ScriptRun, hiding: Hiding) -> str:
    """Return the part of the URL after the script."""
    path = quote(os.fsencode(run.environment.get("PATH_INFO", "")), safe="/;=")
    query = run.environment.get("QUERY_STRING", "")
    return hiding.target(path + (f"?{query}" if query else ""))


def _options(exchange: Exchange, run: ScriptRun) -> str:
    options = f", interpreter={_literal(run.interpreter)}" if run.interpreter else ""
    host = exchange.header("Host")
    if _HOST.fullmatch(host):  # scripts make addresses from it
        options += f", base_url={_literal(f'{exchange.request.scheme}://{host}')}"
    failed = exchange.status >= 500 or run.status or _has_wrong_length(run)
    return options + (", raise_errors=False" if failed else "")


def _has_wrong_length(run: ScriptRun) -> bool:
    """Whether the script announced another length than its body had. A client takes it for an error."""
    found = header_block(run)
    if not isinstance(found, ScriptResponse) or run.stdout.is_cut:
        return False
    announced = [value for name, value in found.headers if name.lower() == "content-length"]
    return bool(announced) and announced[0].strip() != str(len(found.rest))


def _remarks(exchange: Exchange, parts: Parts) -> list[str]:
    """Return comments on what the request had and no test can have: what is new in each session."""
    found = []
    if parts.cookies:
        found.append("    # It had cookies: a session in them ends. Log in with the client first.")
    if any(_FORGERY.search(name) for name, _ in parts.fields):
        found.append(
            "    # It had a token against forgery: take that of the form, got by client.get()."
        )
    return found


def _headers(exchange: Exchange, parts: Parts, hiding: Hiding) -> list[str]:
    fields = [
        (name, hiding.header(name, value))
        for name, value in exchange.request.headers
        if name.lower() not in _LEFT_OUT and not name.lower().startswith("sec-")
    ]
    kind = exchange.request.content_type
    if kind and not _is_form(exchange, parts):
        fields.append(("Content-Type", hiding.text(kind)))
    found = [f"headers={_literal(fields)}"] if fields else []
    cookies = {name: HIDDEN for name, _ in parts.cookies}
    return found + ([f"environ={_literal({'HTTP_COOKIE': _cookie(cookies)})}"] if cookies else [])


def _cookie(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _is_form(exchange: Exchange, parts: Parts) -> bool:
    """Whether the body is a form that the client writes with the same fields."""
    if parts.why or exchange.body is None:
        return False
    if parts.media_type == URLENCODED:
        return build(parts.form).encode() == exchange.body.kept
    return parts.media_type == "multipart/form-data" and bool(parts.form or parts.files)


def _body(exchange: Exchange, parts: Parts, hiding: Hiding) -> list[str]:
    if exchange.body is None:
        return []
    if not _is_form(exchange, parts):
        data = hiding.data(exchange.body.kept, exchange.request.content_type)
        return [f"content={data!r}"]
    form = [(name, hiding.value(name, value)) for name, value in parts.form]
    found = [f"data={_literal(form)}"]
    if parts.media_type != URLENCODED:
        files = [
            (one.name, (one.filename, hiding.data(one.content, ""), one.content_type))
            for one in parts.files
        ]
        found.append(f"files={files!r}")
    return found


def _checks(exchange: Exchange, run: ScriptRun, hiding: Hiding) -> list[str]:
    header = header_block(run)
    if isinstance(header, LocalRedirect):
        return [f"    assert answer.local_redirect == {_literal(hiding.target(header.target))}"]
    found = [f"    assert answer.status == {exchange.status:d}"]
    fields = {name.lower(): value for name, value in exchange.headers}
    if exchange.status < 500 and not run.status and "content-type" in fields:
        kind = hiding.text(fields["content-type"])
        found.append(f'    assert answer.headers["Content-Type"] == {_literal(kind)}')
    return [*found, "    # What else matters of it? For example: assert answer.text.startswith(…)"]


def _literal(value: object) -> str:
    """Return a literal of Python, in double quotes where that is as short."""
    text = repr(value)
    if isinstance(value, str) and text.startswith("'") and '"' not in text:
        return f'"{text[1:-1]}"'
    return text


def _identifier(text: str) -> str:
    """Return a text as a part of a name of Python."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
    return name + "_" if keyword.iskeyword(name) else name or "x"
