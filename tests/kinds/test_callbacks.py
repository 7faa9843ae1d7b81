"""Every call-back of an event loop: what it raises ends one request, or the worker where several share
a channel, and never reaches another request.

Each is made to raise in a real worker, before it has done its work and after it. The table of them is
in `injecting.py`; a call-back that is not in it fails here.
"""

import ast
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import house
import injecting
import pytest
from child import run_script
from gatewayserving import HEAD, Answer, Gateway, Peer, gateway
from injecting import TARGETS, ZYGOTE
from persisting import application
from serving import DEADLINE, until

from cgikit.gateway.fastcgiclient import encode_record

#: Where a call-back is handed over or called, and which argument it is.
CALLS = {"watch": 2, "guarded": 1, "_guard": 1}
#: What the loop itself does with all of them.
THE_LOOP = {("loop", "*found")}

WAITS = f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.02)\nprint('waited')"
SCRIPTS = {
    "plain": f"{HEAD}print('plain')",
    "upload": f"{HEAD}import sys\nprint(len(sys.stdin.buffer.read()))",
    "download": f"{HEAD}print('x' * 3_000_000)",
    "silent": f"{HEAD}import time\ntime.sleep(1_000)",
    "abort": f"{HEAD}import time\ntime.sleep(1_000)",
    "redirect": "print('Location: /plain.py\\n')",
    "begins": f"{HEAD}print('some', flush=True)\nimport time\ntime.sleep(0.05)\nprint('more')",
    "queued": f"{HEAD}print('queued')",
    # Its process ends: it leaves a trace
    "reused": f"{HEAD}import json\njson.dumps.left = 1\nprint('reused')",
}


def callbacks() -> set[tuple[str, str]]:
    """Every call-back of a worker, by module and source."""
    found = set()
    for module in house.read():
        if not module.name.startswith("warm."):
            continue
        for call in ast.walk(module.tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr in CALLS:
                given = call.args[min(CALLS[call.func.attr], len(call.args) - 1)]
                given = next((a for a in call.args if isinstance(a, ast.Starred)), given)
                if isinstance(given, ast.Call):  # partial(call, …)
                    given = given.args[0]
                found.add((module.name.removeprefix("warm."), house.written(given)))
    return found


def test_every_callback_is_in_the_table() -> None:
    assert callbacks() - THE_LOOP == set(TARGETS)


def test_only_the_guarded_loop_calls_what_is_watched() -> None:
    source = next(m.source for m in house.read() if m.name == "warm.loop")
    assert source.count("self._handlers.get(") == source.count("self.guarded(*found, mask)") == 1


# --- each of them raises -----------------------------------------------------------------------------


class Victim:
    """A gateway whose call-backs can be made to raise."""

    def __init__(self, server: Gateway, order: Path) -> None:
        self.server = server
        self.order = order

    def give(self, *words: str) -> None:
        """Have a call-back raise once."""
        written = self.order.with_suffix(".new")
        written.write_text(" ".join(words))
        written.rename(self.order)

    @property
    def is_due(self) -> bool:
        """Whether it has not raised yet."""
        return self.order.exists()

    def ask(self, name: str) -> Answer | None:
        """Make a request of a kind, once; return what came."""
        server = self.server
        body = b"x" * 200_000 if name == "upload" else b""
        variables = server.variables(f"/{name}.py", body, HTTP_X_VICTIM="1")
        with server.connect() as peer:
            if name == "abort":
                peer.send(variables, keep=True)
                assert until(lambda: server.scripts() or not self.is_due)
                peer.socket.sendall(encode_record(2, 1))
            elif name == "download":
                peer.send(variables)
                assert until(lambda: not self.is_due)
            else:
                return peer.ask(variables, body)
            return peer.answer()


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    root, order = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("order") / "order"
    driver = (sys.executable, injecting.__file__, str(order))
    options = ("--workers", "1", "--children", "3", "--queue", "3", "--reuse", "reused.py")
    # What a traceback needs: workers that are replaced because a child imported it end without a line
    for module in ("traceback", "ast", "tokenize"):
        options += ("--preload", module)
    with gateway("fastcgi", root, *options, before=driver) as server:
        for name, source in SCRIPTS.items():
            server.script(f"{name}.py", source)
        yield Victim(server, order)
        server.lines.clear()


def kept(server: Gateway, peer: Peer) -> Peer:
    """Leave a connection open after an answer."""
    peer.send(server.variables("/plain.py"), keep=True)
    assert peer.answer().text == "plain\n"
    return peer


def provoke(victim: Victim, how: str) -> list[Answer]:
    """Do what reaches a call-back, until it has raised; return what came for the victim's requests."""
    server, answers = victim.server, []
    with ExitStack() as stack:
        if how in ("kept", "signal"):
            kept(server, stack.enter_context(server.connect()))
            server.process.send_signal(signal.SIGHUP)
            assert until(lambda: not victim.is_due)
        elif how == "channel":
            assert until(lambda: not victim.is_due)
        else:

            def asked() -> bool:
                with suppress(ConnectionError):  # it was cut before all of the request was sent
                    answers.append(victim.ask(how))
                return not victim.is_due

            assert until(asked)
    return [answer for answer in answers if answer is not None]


def check(answer: Answer, how: str) -> None:
    """An answer of the victim is its own, or a page that says so, or cut."""
    if answer.ended is None or not answer.output:
        return
    assert answer.status in (200, 500, 503)
    if answer.status == 200 and how != "abort":
        expected = {"redirect": b"plain\n", "upload": b"200000\n", "begins": b"some\nmore\n"}
        assert answer.body in (expected.get(how, f"{how}\n".encode()), b"x" * 3_000_000 + b"\n")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("target", "how", "ends"),
    sorted({row for row in TARGETS.values() if row[1] not in ("queued", "late")} | ZYGOTE),
)
def test_a_callback_that_raises_reaches_nobody_else(
    victim: Victim, target: str, how: str, ends: str, when: str
) -> None:
    server = victim.server
    waits = server.script("waits.py", WAITS)
    go = server.root / "go"
    go.unlink(missing_ok=True)
    # One that is being replaced ends without a line
    assert until(lambda: len(server.workers()) == 1)
    with server.connect() as other:
        other.send(server.variables(waits))
        assert until(server.scripts)
        seen = len(server.lines)
        mark = "REDIRECT_STATUS" if how == "redirect" else "HTTP_X_VICTIM"
        victim.give(target, when, mark)
        for answer in provoke(victim, how):
            check(answer, how)
        server.wait_for(f"Injected: {target}", seen)
        go.touch()
        answer = other.answer()
        if ends == "exchange" or (answer.ended == 0 and answer.status == 200):
            assert answer.text == "waited\n"
        else:
            assert answer.ended is None or answer.status == 503
    if how == "signal":
        pass  # that worker was to end
    elif ends == "worker":
        server.wait_for("a worker ended with", seen)
    else:
        assert not server.deaths(seen)
    assert until(lambda: len(server.workers()) == len(server.zygotes()) == 1)
    for _ in range(4):  # more than there are places for: none was lost
        assert server.request("/plain.py").text == "plain\n"
    assert until(lambda: not server.scripts()), server.lines[seen:]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_queued_request_that_raises_when_its_turn_comes_holds_up_nobody(
    victim: Victim, when: str
) -> None:
    server = victim.server
    waits = server.script("waits.py", WAITS)
    go = server.root / "go"
    go.unlink(missing_ok=True)
    seen = len(server.lines)

    with ExitStack() as stack:

        def sent(path: str, **more: str) -> Peer:
            peer = stack.enter_context(server.connect())
            peer.send(server.variables(path, **more))
            return peer

        others = [sent(waits) for _ in range(3)]
        assert until(lambda: len(server.scripts()) == 3)
        suffers = sent("/plain.py", HTTP_X_VICTIM="1")
        behind = [sent("/plain.py") for _ in range(3)]  # one of the four finds no place
        ready = select.select([suffers.socket, *(p.socket for p in behind)], [], [], DEADLINE)[0]
        assert len(ready) == 1
        victim.give("exchange:Exchange.start", when, "HTTP_X_VICTIM")
        go.touch()
        assert [peer.answer().text for peer in others] == ["waited\n"] * 3
        answers = [peer.answer() for peer in behind]
        assert {answer.status for answer in answers} <= {200, 503}
        if suffers.socket in ready:  # it was the one without a place
            assert suffers.answer().status == 503
            victim.order.unlink()
        else:
            check(suffers.answer(), "plain")
            server.wait_for("Injected: exchange:Exchange.start", seen)
    for _ in range(4):
        assert server.request("/plain.py").text == "plain\n"
    assert not server.deaths(seen)
    assert until(lambda: not server.scripts())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refusal_that_raises_ends_what_was_to_be_refused(tmp_path: Path, when: str) -> None:
    """The last resort: what waits too long for a place is refused, and that raises."""
    root, order = tmp_path / "root", tmp_path / "order"
    root.mkdir()
    driver = (sys.executable, injecting.__file__, str(order))
    options = ("--workers", "1", "--children", "1", "--queue", "1", "--timeout", "3")
    with gateway("fastcgi", root, *options, before=driver) as server, server.connect() as other:
        server.executable = sys.executable
        talks = server.script(
            "talks.py",
            f"{HEAD}import os, time\nwhile not os.path.exists('go'):\n"
            "    print('.', flush=True)\n    time.sleep(0.1)\n",
        )
        plain = server.script("plain.py", SCRIPTS["plain"])
        other.send(server.variables(talks))
        assert until(server.scripts)
        Victim(server, order).give("exchange:Exchange.refuse", when, "HTTP_X_VICTIM")
        answer = server.request(plain, HTTP_X_VICTIM="1")
        assert answer.ended is None or answer.status in (500, 503)
        server.wait_for("incident .*Injected: exchange:Exchange.refuse")
        server.put("go", b"")
        assert other.answer().text.startswith(".\n")
        assert server.request(plain).text == "plain\n"
        assert not server.deaths()


# --- the parent of persistent workers ----------------------------------------------------------------

#: What its loop does, and what that calls which can fail: where it is, and its name.
PARENT = {
    "p.Parent": {"_start", "_wait", "_look_at"},
    "p.Handover": {"receive"},
    "os": {"fork", "waitpid"},
    "p.signal": {"sigtimedwait"},
}
RAISES = """
import os
import cgikit.persistent.parent as p
own, call = os.getpid(), {holder}.{name}
def ordered():  # and not to one of those that were there before, which may be slow to begin
    return os.path.exists("order") and str(os.getpid()) not in open("order").read().split()
def called(*arguments):
    due = ordered() and (os.getpid() == own) == {in_parent}
    if due and "{when}" == "before":
        os.unlink("order")
        raise Injected("{name}")
    result = call(*arguments)
    if "{when}" == "after" and (os.getpid() == own) == {in_parent} and ordered():
        os.unlink("order")
        raise Injected("{name}")
    return result
class Injected(Exception):
    pass
{holder}.{name} = called
run(lambda request: str(os.getpid()))
open("returned", "a").write(f"{{os.getpid()}}\\n")
"""


def test_the_loop_of_the_parent_does_only_what_is_guarded_and_in_the_table() -> None:
    tree = next(m.tree for m in house.read() if m.name == "persistent.parent")
    (loop,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.While) and "_killing" in house.written(node.test)
    )
    found = {node.func.attr for node in ast.walk(loop) if isinstance(node, ast.Call)}  # type: ignore[attr-defined]
    assert found == {"_safely"}
    guarded = {
        house.written(node.args[0]).removeprefix("self.")
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
    }
    assert guarded == PARENT["p.Parent"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("holder", "name"), sorted((holder, name) for holder in PARENT for name in PARENT[holder])
)
def test_an_error_in_the_parent_of_persistent_workers_ends_none_of_them(
    tmp_path: Path, holder: str, name: str, when: str
) -> None:
    code = RAISES.format(holder=holder, name=name, when=when, in_parent=True)
    with application(tmp_path, code, CGIKIT_WORKERS="2") as app:
        assert until(lambda: len(app.children()) == 2)
        first, other = app.children()
        (tmp_path / "order").touch()
        os.kill(first, signal.SIGKILL)
        assert until(lambda: not (tmp_path / "order").exists() or app.process.poll() is not None)
        assert until(lambda: f"Injected: {name}" in app.logged())
        assert "[incident " in app.logged()
        if (holder, when) == ("os", "after"):  # what was forked or reaped, nobody was told of
            assert until(lambda: len(app.children()) >= 2 and first not in app.children())
        else:
            assert until(lambda: len(app.children()) == 2 and first not in app.children())
        assert other in app.children()
        assert app.ask().status == 200
        assert app.stop() == 0


@pytest.mark.parametrize(
    ("holder", "name", "when"), [("p.gc", "collect", "never"), ("os", "fork", "after")]
)
def test_an_error_in_a_persistent_worker_outside_of_requests_ends_that_worker_only(
    tmp_path: Path, holder: str, name: str, when: str
) -> None:
    """It must not become a second parent, nor go on behind `run`."""
    code = RAISES.format(holder=holder, name=name, when=when, in_parent=False)
    if when == "never":
        code = (
            "import cgikit.persistent.worker as w\nloop = w.PersistentWorker._loop\n"
            "def failing(self):\n"
            "    if ordered():\n"
            "        os.unlink('order')\n"
            "        raise Injected('in a worker')\n"
            "    loop(self)\n"
            "w.PersistentWorker._loop = failing\n"
        ) + code
    with application(tmp_path, "import os\n" + code, CGIKIT_WORKERS="2") as app:
        assert until(lambda: len(app.children()) == 2)
        first, other = app.children()
        (tmp_path / "new").write_text(f"{first} {other}")
        (tmp_path / "new").rename(tmp_path / "order")
        os.kill(first, signal.SIGKILL)
        assert until(lambda: "ended with status 1; another takes its place" in app.logged())
        assert "[incident " in app.logged()
        assert "Injected: " in app.logged()
        assert until(lambda: len(app.children()) == 2)
        assert other in app.children()
        assert int(app.ask().page) in app.children()
        assert app.stop() == 0
        assert (tmp_path / "returned").read_text() == f"{app.process.pid}\n"


# --- the functions of a script that answer errors -----------------------------------------------------

#: What `on_error` does, and what the client gets of it.
HOOKS = {
    "a page": ("return f'<p>own {failure.status} {failure.sent}'", b"<p>own 500 False"),
    "a response": ("return Response('<p>own', 503)", b"<p>own"),
    "nothing": ("return None", b"You did nothing wrong"),
    "raises": ("return {}['missing']", b"You did nothing wrong"),
    "exits": ("raise SystemExit(3)", b"You did nothing wrong"),
    "is cancelled": (
        "import asyncio; raise asyncio.CancelledError",
        b"You did nothing wrong",
    ),
    "closes": ("raise GeneratorExit", b"You did nothing wrong"),
    "something else": ("return 42", b"You did nothing wrong"),
    "a stream that fails": ("return Response(1 / 0 for _ in 'x')", b"You did nothing wrong"),
    "a bad header": ("return Response('x', headers=[('A b', 'c')])", b"You did nothing wrong"),
    "forks": ("import os\n    if not os.fork(): return 'child'\n    os.wait()", b"nothing wrong"),
}
STATUSES = {"a response": 503}
ON_ERROR = """
from cgikit import HTTPError, Response, WSGI, run
def page_of(failure):
    {}
def page(request):
    return str(1 / 0)
"""


def answered(way: str, code: str, tmp_path: Path) -> tuple[int, bytes, str]:
    """The status and page that a handler's error gets, and the log."""
    if way == "run":
        answer = run_script(tmp_path, f"{code}run(page, on_error=page_of)")
        return answer.status, answer.body, answer.errors
    if way == "persistent":
        with application(tmp_path, f"{code}run(page, on_error=page_of)") as app:
            reply = app.ask()
            assert app.stop() == 0
            return reply.status, reply.page.encode(), app.logged()
    ends = "print(b''.join(WSGI(page, on_error=page_of)(environ, start)).decode())"
    source = (
        f"{code}import io, sys\nstart = lambda status, fields: print(status)\n"
        "environ = {'REQUEST_METHOD': 'GET', 'wsgi.input': io.BytesIO(), 'wsgi.errors': sys.stderr}\n"
        f"{ends}\n"
    )
    answer = run_script(tmp_path, source)
    status, _, body = answer.output.partition(b"\n")
    return int(status[:3]), body, answer.errors


@pytest.mark.parametrize("way", ["run", "persistent", "WSGI"])
@pytest.mark.parametrize("hook", HOOKS)
def test_whatever_an_error_function_does_the_client_has_one_page(
    tmp_path: Path, way: str, hook: str
) -> None:
    does, expected = HOOKS[hook]
    status, body, log = answered(way, ON_ERROR.format(does), tmp_path)
    assert status == STATUSES.get(hook, 500)
    assert body.count(expected) == 1
    assert "ZeroDivisionError: division by zero" in log
    if hook in ("raises", "exits", "is cancelled", "closes", "something else"):
        assert log.count("Traceback") == 2


def test_an_error_function_learns_what_happened(tmp_path: Path) -> None:
    source = """
def told(failure):
    told = failure, failure.sent, bool(failure.incident), repr(failure.message[:12])
    print("TOLD", *told, file=sys.stderr)
def page(request):
    if request.path_info == "/stream":
        return Response(piece for piece in ("x", 5))
    if request.path_info == "/404":
        raise HTTPError(404, "No <cat>.", {"Allow": "GET"})
    return 1 / 0
run(page, on_error=told)
"""
    for path, expected in {
        "": "<Failure 500 ZeroDivisionError> False True 'The script f'",
        "/stream": "<Failure 500 TypeError> True True 'The script f'",
        "/404": "<Failure 404 HTTPError> False False 'No <cat>.'",
    }.items():
        answer = run_script(tmp_path, source, PATH_INFO=path)
        lines = [line for line in answer.errors.splitlines() if line.startswith("TOLD")]
        assert lines == [f"TOLD {expected}"]


def test_an_own_page_of_an_error_has_its_status_and_its_fields(tmp_path: Path) -> None:
    source = """
def own(failure):
    return "<p>own"
def page(request):
    raise HTTPError(405, "no", {"Allow": "POST"})
run(page, on_error=own)
"""
    answer = run_script(tmp_path, source)
    assert (answer.status, answer.body) == (405, b"<p>own")
    assert answer.field("Allow") == "POST"
    assert answer.field("Cache-Control") == "no-store"


def test_in_debug_mode_a_bug_shows_its_cause_and_the_function_is_called_too(
    tmp_path: Path,
) -> None:
    source = """
def own(failure):
    print("called", file=sys.stderr)
    return "<p>own"
def page(request):
    raise HTTPError(404) if request.path_info else KeyError("x")
run(page, on_error=own, debug=True)
"""
    answer = run_script(tmp_path, source)
    assert b"<h1>KeyError" in answer.body
    assert "called" in answer.errors
    assert run_script(tmp_path, source, PATH_INFO="/x").body == b"<p>own"
