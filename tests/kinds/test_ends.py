"""The kind: an answer that breaks off. No client and no proxy may take the part for the whole.

Every place of the handler's side that passes on the pieces of a body, and every place that ends an
answer, is listed with what happens there when the body is too short, too long, or fails. A new one
fails until it is. What servers make of it is tried in `test_persistent_servers.py`,
`test_wsgi_servers.py` and `test_script.py`.
"""

import ast
from collections.abc import Iterator

import house
from house import Module

#: The modules of the handler's side through which a body goes.
MODULES = {
    "crash", "filebody", "leaving", "persistent.answer", "persistent.connection", "persistent.worker",
    "process", "response", "script", "streamed", "wsgi",
}  # fmt: skip

#: What passes on a piece of a body.
SENDING = {"output", "write", "write_to", "send", "sendfile", "sendall"}
#: What ends an answer, or gives up on it.
ENDING = {"finish", "_end", "truncated", "SystemExit", "_exit"}

RAISED = "what the body raises goes on to whoever sends; nothing is filled up"
ENDED = "a regular end, after the last piece: what was raised before never comes here"
PLACES = {
    # pieces of a body
    "filebody.FileBody.__iter__: while": "a file that became shorter raises `OSError`",
    "filebody.FileBody._hand_over: while": "stops where the file does; `__iter__` then raises",
    "filebody.FileBody.write_to: for": RAISED,
    "persistent.answer.Answerer._send: for": RAISED + ", but for what fails behind an announced length",
    "persistent.connection.PersistentConnection._catch_up: while": "bytes of ours, already counted",
    "process._parents: for": RAISED + "; in a process that was forked it raises `SystemExit`",
    "process.send: for": RAISED,
    "process.write: while": "a short write is gone on with",
    "streamed.Announced.__iter__: for": "raises at a body that is too short or too long",
    "streamed._encoded: for": RAISED,
    "streamed._from: for": RAISED,
    "response.Response.send: for": RAISED,
    "response._wire: from": RAISED,
    "wsgi._Input.gather: while": "of a request, not of an answer",
    # ends
    "crash.answer: SystemExit": "0 after a page, 70 where something is out",
    "persistent.answer.Answerer.__call__: SystemExit": "of a process that was forked",
    "persistent.answer.Answerer._send: finish": ENDED,
    "persistent.connection.PersistentConnection._end: finish": ENDED,
    "persistent.connection.PersistentConnection.finish: _end": ENDED,
    "persistent.connection.PersistentConnection.go_on: _end": ENDED + "; it was held back",
    "persistent.worker.PersistentWorker._give_up: finish": "an error page, where nothing was out",
    "persistent.worker.PersistentWorker._loop: _end": "of the process, not of an answer",
    "persistent.worker.PersistentWorker._serve: finish": "nothing was answered: the client left",
    "leaving.leave_script: _exit": "nothing is left to be written",
    "process._parents: SystemExit": "of a process that was forked",
    "process.end: _exit": "of a process that was forked",
    "response.Response._selected: finish": "of a redirect's fields, not of an answer",
    "script._answer_error: SystemExit": "something is out: status 70, if the server asks",
    "script.respond: SystemExit": "of a process that was forked",
    "streamed.begin: SystemExit": "of a process that was forked",
    "wsgi._Answer.__next__: truncated": "the server is told by an exception",
    "wsgi._SentFile.close: truncated": "the server took the descriptor, and the file changed",
    "wsgi._SentFile.read: truncated": "the server is told by an exception",
    "wsgi._SentFile.seek: truncated": "the server is told by an exception",
}  # fmt: skip


def places(module: Module) -> Iterator[str]:
    """Every loop of a module that passes on pieces, and every end of an answer."""
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, ast.For | ast.While) and _passes_on(node):
            yield f"{place}: {'for' if isinstance(node, ast.For) else 'while'}"
        elif isinstance(node, ast.YieldFrom):
            yield f"{place}: from"
        elif isinstance(node, ast.Call) and house.called(node) in ENDING:
            yield f"{place}: {house.called(node)}"


def _passes_on(loop: ast.For | ast.While) -> bool:
    found = [each for part in loop.body for each in ast.walk(part)]
    return any(
        isinstance(each, ast.Yield)
        or (isinstance(each, ast.Call) and house.called(each) in SENDING)
        for each in found
    )


def test_every_place_where_an_answer_goes_out_or_ends_is_listed() -> None:
    modules = [module for module in house.read() if module.name in MODULES]
    assert {module.name for module in modules} == MODULES
    assert {place for module in modules for place in places(module)} == set(PLACES)


def test_a_new_place_is_found() -> None:
    source = (
        "def f(out, body):\n    for piece in body:\n        out.write(piece)\n    out.finish()\n"
    )
    assert [*places(Module("wsgi", source))] == ["wsgi.f: for", "wsgi.f: finish"]
