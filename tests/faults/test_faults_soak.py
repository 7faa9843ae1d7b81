"""Many requests, of every kind, to one gateway: nothing grows, and nothing is left."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gatewayserving import HEAD, Gateway, children, gateway
from serving import sockets, until
from torture import size

CLIENTS = 4
SCRIPTS = {
    "plain": HEAD + "print('plain')",
    "with cgikit": "from cgikit import run\nrun(lambda request: request.query.get('a', 'none'))",
    "reads": HEAD + "import sys\nprint(len(sys.stdin.buffer.read()))",
    "prints much": HEAD + "print('x' * 200_000)",
    "fails": "raise ValueError(1)",
    "exits": HEAD + "import sys\nsys.exit(3)",
    "is killed": HEAD + "import os\nos.kill(os.getpid(), 9)",
    "leaves a process": HEAD
    + "import os, time\nif not os.fork():\n    os.closerange(0, 3)\n    time.sleep(60)",
    "takes the long way out": HEAD + "file = open('/dev/null', 'w')\nfile.write('x')",
    "missing": None,
}


def test_nothing_grows(tmp_path: Path) -> None:
    requests = size("requests of a soak")
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        kinds = []
        for name, source in SCRIPTS.items():
            path = f"/{name.replace(' ', '-')}.py"
            if source is not None:
                server.script(path[1:], source)
            kinds.append(path)
        ask(server, kinds, max(200, requests // 10))
        for _ in range(3):  # what was learnt a moment ago may replace them once more
            before = quiet(server)
            family = server.family()
            ask(server, kinds, requests)
            after = quiet(server)
            if server.family() == family:
                break
        assert server.family() == family  # replaced, they would seem not to grow
    assert after["descriptors"] == before["descriptors"]
    assert after["children"] == before["children"] == []
    # What bodies and answers leave of holes in the memory, not growth: a byte lost with each request
    # would be seen in the large run, which is why it is large
    for role in ("supervisor", "worker", "zygote"):
        assert after[role] - before[role] < 4_000_000, (before, after)


def ask(server: Gateway, paths: list[str], count: int) -> None:
    """Send so many requests, from several clients, of which some leave early."""

    def client(number: int) -> None:
        chance = random.Random(number)
        for _ in range(count // CLIENTS):
            path = chance.choice(paths)
            body = b"x" * chance.choice((0, 0, 10, 100_000))
            with server.connect() as peer:
                if chance.random() < 0.1:
                    peer.socket.sendall(server.encode(path, body)[: chance.randrange(2_000)])
                else:
                    peer.ask(server.variables(path, body, QUERY_STRING="a=b"), body)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))


def quiet(server: Gateway) -> dict[str, object]:
    """What the three processes hold, when nothing is in hand."""
    assert until(lambda: len(server.workers()) == len(server.zygotes()) == 1)
    (worker,), (zygote,) = server.workers(), server.zygotes()
    roles = {"supervisor": server.process.pid, "worker": worker, "zygote": zygote}
    assert until(lambda: not server.scripts())
    assert until(lambda: connections(worker) == 0)
    found: dict[str, object] = {role: private(pid) for role, pid in roles.items()}
    found["descriptors"] = [len(os.listdir(f"/proc/{pid}/fd")) for pid in roles.values()]
    found["children"] = children(worker) + children(zygote)
    return found


def connections(worker: int) -> int:
    """Accepted connections: sockets beyond those that a worker always has."""
    return (
        len(sockets(worker)) - 5
    )  # supervisor, zygote, other workers (two), and the one that listens


def private(pid: int) -> int:
    """Bytes of memory that are not mapped from files."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])
