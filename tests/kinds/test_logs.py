"""What a script says on standard error is in one log: all places that could send it to another one.

That a place keeps to it is tested in test_warm_errorstream.py and test_persistent_log.py; who may end
an answer before its script, and so before that has said its last, in test_whole.py.
"""

import ast

import house

#: Functions that hand standard error to the web server, and the question that each has asked before.
ASKING = {
    "warm.reply.Reply.errors": "sent = self.host.settings.stderr_out and",
    "warm.reply.Reply._take_back": "if self.host.settings.stderr_out and",
    "persistent.log.Log._out": "if self._goes_out and",
}
#: What makes the records; the second calls the first, for those above.
CALLS = ("codec.errors", "connection.send_errors")


def places() -> dict[str, str]:
    """All functions that make records of standard error, with their source."""
    found = {}
    for module in house.read():
        if module.name.startswith("gateway."):  # which only know how
            continue
        for name, node in house.definitions(module):
            if not isinstance(node, ast.FunctionDef):
                continue
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and house.written(call.func).endswith(CALLS):
                    found[name] = house.written(node)
    found.pop("warm.connection.Connection.send_errors")
    return found


def test_every_place_that_sends_standard_error_away_is_known_and_asks() -> None:
    found = places()
    assert set(found) == set(ASKING)
    for name, question in ASKING.items():
        source = found[name]
        assert question in source, name
        calls = [source.index(f"{call}(") for call in CALLS if f"{call}(" in source]
        assert source.index(question) < min(calls), name


#: Functions that write to standard error by themselves, and why they may: all others call
#: `process.write_log` (or `cli.commandline.complain`, which does), so that a log that is closed, or not
#: there, makes nothing fail: `print(…, file=None)` writes to standard output.
WRITING = {
    "cli.terminal.Progress.__call__": "a bar on a terminal",
    "cli.terminal.Progress.clear": "a bar on a terminal",
    "process.end": "as the interpreter does at its end",
    "warm.interpreter": "as the interpreter does at its end",
}
#: Functions that write to descriptor 2, and why `sys.stderr` will not do. Each is a function of its own
#: that does not fail: what is to follow it, such as `os._exit`, would not be reached.
BY_DESCRIPTOR = {"warm.interpreter.say": "a script may have replaced `sys.stderr`"}


def test_all_others_write_to_standard_error_by_the_one_function_that_does_not_fail() -> None:
    found = set()
    for module in house.read():
        if module.name.startswith(("compat.", "migrate.", "cli.migrate", "testing.", "cli.vendor")):
            continue
        for name, node in house.definitions(module):
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and isinstance(node, ast.FunctionDef):
                    texts = [f"{word.arg}={house.written(word.value)}" for word in call.keywords]
                    if "file=sys.stderr" in texts or house.written(call.func) == "sys.stderr.write":
                        found.add(name)
    assert {name for name in found if not name.startswith(tuple(WRITING))} == set()
    assert "cli.terminal.Progress.clear" in found


def test_what_is_written_by_the_descriptor_is_written_by_a_function_that_does_not_fail() -> None:
    """Three places of the warm engine wrote by themselves, and raised where descriptor 2 was closed."""
    found = {}
    for module in house.read():
        for name, node in house.definitions(module):
            if isinstance(node, ast.FunctionDef) and "os.write(2," in house.written(node):
                found[name] = node
    assert set(found) == set(BY_DESCRIPTOR)
    for node in found.values():
        *_, last = node.body
        assert isinstance(last, ast.Try)
        assert [house.written(handler.body[0]) for handler in last.handlers] == ["pass"]
        assert "OSError" in house.written(last.handlers[0])
