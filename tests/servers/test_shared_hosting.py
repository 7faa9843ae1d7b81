"""docs/deploy/shared-hosting.md, step by step: a bundle in its owner's folder, under a real Apache
that takes its configuration from the `.htaccess` of the page.
"""

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from nobody import NOBODY
from ports import free_port
from requirement import lack, need

from cgikit.bundle.making import make
from cgikit.bundle.target import target
from cgikit.bundle.writing import write

from .curl import curl
from .fixtures import fresh, readable_by_all
from .interpreter import ROOT, base_interpreter, server_user
from .server import LOOPBACK, NotStarted, listens, running, wait_until
from .wsgi_servers import MODULES

PAGE = (ROOT / "docs" / "deploy" / "shared-hosting.md").read_text()
LOADED = "mpm_event authz_core unixd cgid mime alias dir"

HTTPD = """\
{load}
ServerRoot {root}
DefaultRuntimeDir {root}
PidFile {root}/pid
Mutex file:{root} default
Listen {host}:{port}
ServerName localhost
ErrorLog {root}/error.log
ScriptSock {root}/cgid.sock
TypesConfig /dev/null
{user}
DocumentRoot {site}
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory {site}>
    AllowOverride Options=ExecCGI,Indexes FileInfo AuthConfig
    Require all granted
</Directory>
"""


def block(language: str) -> str:
    """The first block of a language on the page."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found
    return found[1]


@dataclass(frozen=True)
class Host:
    """A host with one customer's folder."""

    url: str
    site: Path
    private: Path


@pytest.fixture
def host(readable_directory: Path) -> Iterator[Host]:
    """The script of the page, bundled and uploaded. If root runs the tests, everything belongs to
    somebody else than the server.
    """
    program = need("apache2")
    modules = next((each for each in MODULES if Path(each, "mod_cgid.so").exists()), None)
    modules = modules or lack("mod_cgid (apt-get install apache2-bin)")
    user = server_user()
    with readable_by_all(), contextlib.ExitStack() as stack:
        root = fresh(readable_directory, "shared-hosting")
        source, account = root / "source", root / "account"
        source.mkdir()
        account.mkdir()
        (source / "list.py").write_text(block("python"))
        python = base_interpreter()
        made = make(str(source / "list.py"), target(python), wanted=python)
        site, private = account / "public_html", account / "private"
        write(made.bundle, str(site))
        private.mkdir()
        (site / ".htaccess").write_text(block("apache"))
        (site / "data").mkdir()
        (site / "data" / "x.html").touch()
        (site / "guests.json").touch()
        (site / "own.py").write_text("secret = 1\n")
        if user:
            for path in [account, *account.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
            shutil.chown(private, user, user)  # without suEXEC the server's user writes
        for attempt in (1, 2, 3):
            port = free_port()
            config, log = root / "httpd.conf", root / f"server-{attempt}.log"
            load = [f"LoadModule {one}_module {modules}/mod_{one}.so" for one in LOADED.split()]
            kept = [line for line in load if Path(line.split()[-1]).exists()]  # others are built in
            config.write_text(
                HTTPD.format(
                    load="\n".join(kept),
                    root=root,
                    host=LOOPBACK,
                    port=port,
                    site=site,
                    user=f"User {user}\nGroup {user}" if user else "",
                )
            )
            command = [program, "-DFOREGROUND", "-f", str(config)]
            environ = {"PATH": "/usr/bin:/bin"}
            try:
                process = stack.enter_context(running(command, log, environ, signal.SIGTERM))
                wait_until(partial(listens, LOOPBACK, port), process, log)
                break
            except NotStarted as error:
                if attempt == 3 or "address already in use" not in str(error).lower():
                    raise
        yield Host(f"http://{LOOPBACK}:{port}", site, private)


def test_the_steps_of_the_page_lead_to_a_site(host: Host) -> None:
    url = f"{host.url}/list.py"
    assert curl(url).text.startswith("<ul></ul>")
    posted = curl(url, "--data-urlencode", "line=Grüße & <b>", "--location")
    assert (posted.status, posted.text.count("<li>Grüße &amp; &lt;b&gt;")) == (200, 1)
    # What a visitor must not get
    for path in (
        "cgikit_bundle/library.bin", "cgikit_bundle/cgikit/__init__.py", "cgikit_bundle/",
        "cgikit_bundle", "data/x.html", "private/lines.txt", "guests.json", "own.py", "",
    ):  # fmt: skip
        answer = curl(f"{host.url}/{path}")
        assert answer.status in {403, 404, 500}, path
        assert "secret" not in answer.text
    # An error: a page with a number, and the log of the owner
    failed = curl(url, "--data", "other=1")
    assert failed.status == 400
    shutil.rmtree(host.private)
    host.private.touch()  # a mistake: neither the list nor the log can be there
    failed = curl(url, "--data", "line=x")
    assert failed.status == 500


def test_the_script_that_shows_the_pythons_of_the_host_runs(host: Host) -> None:
    """Its `.htaccess` came in a later step, and had no handler for it: visitors saw its source."""
    script = host.site / "version.cgi"
    script.write_text(block("sh"))
    script.chmod(0o755)
    answer = curl(f"{host.url}/version.cgi")
    assert answer.status == 200
    lines = answer.text.splitlines()
    assert [line for line in lines if not re.match(r"/\S+ 3\.\d+", line)] == []


def test_the_library_denies_itself_to_visitors(host: Host) -> None:
    """Also where the owner has written no rule for it."""
    (host.site / ".htaccess").write_text("Options +ExecCGI\nAddHandler cgi-script .py\n")
    assert curl(f"{host.url}/list.py").status == 200
    assert curl(f"{host.url}/cgikit_bundle/library.bin").status == 403


def test_the_log_has_the_number_of_the_page(host: Host) -> None:
    (host.private / "lines.txt").mkdir()  # a mistake
    failed = curl(f"{host.url}/list.py")
    assert failed.status == 500
    (number,) = set(re.findall(r"\b[0-9a-f]{8}\b", failed.text))
    log = host.private / "errors.log"
    assert f"[incident {number}]" in log.read_text()


def test_the_mistakes_of_the_table_look_as_it_says(host: Host) -> None:
    url, script = f"{host.url}/list.py", host.site / "list.py"
    script.chmod(0o644)
    assert curl(url).status in {403, 500}
    script.chmod(0o755)
    right = script.read_bytes()
    script.write_bytes(right.replace(b"\n", b"\r\n"))  # ASCII mode
    assert curl(url).status == 500
    script.write_bytes(re.sub(rb"^#!\S+", b"#!/usr/bin/python3.999", right))
    assert curl(url).status == 500
    assert not (host.private / "errors.log").exists()
    script.write_bytes(right)
    assert curl(url).status == 200
    (host.site / ".htaccess").write_text("NoSuchDirective on\n")
    assert curl(f"{host.url}/guests.json").status == 500
    (host.site / ".htaccess").unlink()
    assert curl(url).text.startswith("#!")  # the source of the script
