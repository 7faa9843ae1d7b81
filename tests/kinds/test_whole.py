"""A part of an answer never passes for the whole: all places that end one, and what each has asked.

An answer ends by `codec.finish` (the whole) or by a cut. Each place of the engine that says so is in a
table; a new one fails here until it is known that it asks. `cgikit serve` is in test_host_answer.py.
"""

import ast

import house

MODULES = {module.name: module for module in house.read()}

#: Functions that end an answer, by the call that does it, and why what they end is whole.
ENDING = {
    ("warm.connection.Connection.finish", "codec.finish"): "`Reply._finish` alone calls it",
    (
        "warm.connection.Connection.abort",
        "codec.finish",
    ): "the client has left: nobody takes it for anything",
    ("warm.reply.Reply._finish", "connection.finish"): "whoever calls it has asked: see below",
    ("warm.exchange.Exchange.abandon", "connection.abort"): "the client has left",
    ("warm.reply.Reply._take", "_finish"): "header.is_whole",
    ("warm.reply.Reply._conclude", "_finish"): "no problem: whoever calls it asks `ending.breach`",
    ("warm.reply.Reply._fail", "_finish"): "a page, and nothing else has gone out",
    ("warm.exchange.Exchange.ended", "_conclude"): "`_wrong` asks, or is_whole",
    ("warm.exchange.Exchange.recheck", "_conclude"): "it asks",
    ("warm.exchange.Exchange._arrived", "_finish"): "header.is_whole",
    (
        "persistent.connection.PersistentConnection._end",
        "codec.finish",
    ): "answer.py has all of it, or cuts",
    (
        "persistent.worker.PersistentWorker._give_up",
        "codec.finish",
    ): "a page, and nothing else has gone out",
}
ENDS = ("codec.finish", "connection.finish", "connection.abort", "_finish", "_conclude")
OURS = ("warm.exchange", "warm.reply")


def endings() -> set[tuple[str, str]]:
    """All calls that end an answer over FastCGI or SCGI."""
    found = set()
    for module in MODULES.values():
        if module.name.startswith("gateway."):
            continue
        for name, node in house.definitions(module):
            if not isinstance(node, ast.FunctionDef):
                continue
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    said = house.written(call.func)
                    for end in ENDS:
                        ours = end == "codec.finish" or module.name in OURS
                        if ours and said.endswith(f".{end}"):
                            found.add((name, end))
    return found


def test_every_place_that_ends_an_answer_is_known() -> None:
    assert endings() == set(ENDING)


def test_the_places_ask() -> None:
    """The questions stand where the table says."""
    asked = {
        name.rpartition(".")[2]: house.written(node)
        for module in OURS
        for name, node in house.definitions(MODULES[module])
    }
    # Three that end an answer before its script: its standard error may have another place to go to
    early = "self._may_end_early"
    assert f"header.is_whole and {early}" in asked["_take"]
    assert "self._header.is_whole" in asked["_arrived"]
    for name in ("_take", "_arrived", "recheck"):
        assert early in asked[name]
    for question in (
        "self._state not in (READY, SENDING)",
        "self.host.settings.stderr_out",
        "not self.arrival.is_owed",
    ):
        assert question in asked["_may_end_early"]
    assert "_conclude(breach(" in asked["recheck"]
    assert "breach(self._header, status)" in asked["_wrong"]
    assert "self._wrong(status)" in asked["ended"]
    assert "self._state in (SENDING, BREAKING) and (not self._take_back())" in asked["_fail"]
