"""The kind: what a forked child inherits of the requests before it (S24). Nothing, however they came.

The process that forks must never have held a request: what was freed is not cleared, and a child can
read all of its own memory. So each way of a request is taken with canaries in it, and a later child
looks for them in every map that it can read; and every place where that process takes bytes in is
listed below.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import house
import pytest
from gatewayserving import HEAD, Gateway, gateway

from cgikit.warm import (
    compiling,
    messages,
    preload,
    rehearsal,
    requestfile,
    slottable,
    state,
    trial,
    zygote,
)  # fmt: skip
from cgikit.warm import interpreter as warm

#: In two parts, so that no script that looks for a canary is one.
FIRST, SECOND = "kahP2iiG8", "eith5OoVu7"
READS = f"{HEAD}import os, sys\nprint(len(os.environ), len(sys.stdin.read()), sys.argv)\n"

#: Scripts that a request can meet, by the way that they take through the process that forks.
WAYS = {
    "runs": READS,
    "fails": f"{READS}raise ValueError(os.environ['QUERY_STRING'], os.environ['HTTP_COOKIE'])\n",
    "cannot be compiled": f"{READS}print(\n",
    "has something to learn": f"{READS}import colorsys, wave, uuid\n",
    "exits": f"{READS}sys.exit(os.environ['HTTP_COOKIE'])\n",
    "leaves as Python does": f"{READS}f = open('kept', 'w')\nf.write(os.environ['HTTP_X_NAME'])\n",
    "goes elsewhere": "print('Location: /runs.py?' + __import__('os').environ['QUERY_STRING'] + '\\n')",
    "starts a program": f"{READS}import subprocess\nsubprocess.run(['true', *sys.argv])\n",
}
LANGUAGE = "#!/bin/sh\ncat > /dev/null\necho 'Content-Type: text/plain'\necho\nenv\n"

LOOKS = f"""
import os
{HEAD}
first, second = {FIRST.encode()!r}, {SECOND.encode()!r}
found, looked, unread = [], 0, []
memory = os.open("/proc/self/mem", os.O_RDONLY)
for line in open("/proc/self/maps"):
    where, mode, *_, name = line.rstrip("\\n").split(maxsplit=5) + [""] * (line.count(" ") < 6)
    if mode[0] != "r" or name in ("[vvar]", "[vvar_vclock]", "[vsyscall]"):
        continue
    at, end = (int(word, 16) for word in where.split("-"))
    try:
        content = os.pread(memory, end - at, at)
    except OSError as error:
        unread.append((line, error))
        continue
    looked += len(content)
    begin = content.find(first)
    while begin >= 0:
        after = begin + len(first)
        if content[after : after + len(second)] == second:
            found.append((name, content[max(0, begin - 8) : begin + 4]))
        begin = content.find(first, after)
    del content
print(looked > 1_000_000, unread, found)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway of one worker, so that all requests are forked from one process."""
    root = tmp_path_factory.mktemp("root")
    with gateway("fastcgi", root, "--workers", "1") as found:
        yield found


def visit(server: Gateway, path: str) -> None:
    """Ask for a script with a canary in each part of the request that the visitor chooses."""
    canary = FIRST + SECOND
    more = {
        "HTTP_COOKIE": f"session=C{canary}",
        "HTTP_X_NAME": f"H{canary}",
        "CONTENT_TYPE": f"text/plain; charset=T{canary}",
    }
    for body in (b"", f"B{canary}".encode() * 20_000):
        for query in (f"a=Q{canary}", f"W{canary}+w"):
            peer = server.variables(path + f"/P{canary}", body, QUERY_STRING=query, **more)
            with server.connect() as connection:
                assert connection.ask(peer, body).output


@pytest.mark.parametrize("way", [*WAYS, "is not Python", "is not there"])
def test_a_canary_is_not_in_the_memory_of_a_later_child(server: Gateway, way: str) -> None:
    name = way.replace(" ", "-")
    server.script("runs.py", WAYS["runs"])
    if way == "is not Python":
        server.put(f"{name}.py", LANGUAGE)
    elif way in WAYS:
        server.script(f"{name}.py", WAYS[way])
    looks = server.script("looks.py", LOOKS)
    for _ in range(3):
        visit(server, f"/{name}.py")
        assert server.request(looks).text == "True [] []\n"


def test_a_canary_is_found_where_one_is(server: Gateway) -> None:
    kept = f"kept = {FIRST!r}.encode() + {SECOND!r}.encode()\n"
    answer = server.request(server.script("has.py", kept + LOOKS)).text
    assert answer.startswith("True [] [(")


# --- every place where the process that forks takes bytes in -----------------------------------------

#: Where bytes are received or read, and why nothing of a request is among them.
INTAKES = {
    "zygote.Zygote.run: recvmsg": "the length of an order, and descriptors",
    "zygote.Zygote.run: recv": "orders: slots, process ids, which file to run and its stamp",
    "zygote.Zygote.run: exactly": "what is left of an order",
    "messages.exactly: recv": "what it was asked for",
    "messages.receive: exactly": "settings, before the first request",
    "compiling._compile: open": "a script's source, in a process that only compiles",
    "compiling._compile: read": "a script's source, in a process that only compiles",
    "compiling._all: read": "a script's code",
    "requestfile.read: pread": "the request, in a child: see `test_only_a_child_reads_a_request`",
    "zygote.Zygote.attend: read": "the request, in a child: see `test_only_a_child_reads_a_request`",
    "rehearsal.rehearse: open": "/dev/null",
    "trial._try: open": "/dev/null, before the first request",
    "trial.shared_maps: open": "a file of the kernel's, in a child that only tries imports",
    "trial.shared_maps: read": "a file of the kernel's, in a child that only tries imports",
}
TAKING = {
    "exactly", "fdopen", "getenv", "load", "open", "pread", "preadv", "read", "read_bytes",
    "read_text", "readinto", "readline", "readlines", "readv", "recv", "recv_into", "recvfrom",
    "recvmsg", "recvmsg_into",
}  # fmt: skip


#: The modules that the process that forks runs.
LOADED = (
    zygote, compiling, messages, preload, rehearsal, requestfile, slottable, state, trial, warm,
)  # fmt: skip


def intakes(source: str, module: str) -> set[str]:
    """The functions of a module that take bytes in, each with what it calls."""
    return {
        f"{place}: {house.called(node)}"
        for place, node in house.nodes(ast.parse(source), module)
        if isinstance(node, ast.Call)
        and house.called(node) in TAKING
        and house.written(node.func) != "preload.load"
    }


def test_each_intake_of_the_process_that_forks_is_known() -> None:
    found = set()
    for module in LOADED:
        name = module.__name__.rpartition(".")[2]
        found |= intakes(Path(module.__file__).read_text(), name)
    assert found == set(INTAKES)


def test_only_a_child_reads_a_request() -> None:
    """`attend` is called by a child, and by `rehearse`, whose request is made up."""
    callers = {
        function.name
        for module in LOADED
        for function in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and house.written(call.func).endswith(".attend")
    }
    assert callers == {"_child", "rehearse"}
