"""Large bodies through each way in: how fast, and how much memory our processes take meanwhile."""

import http.client
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from zlib import crc32

from gateways.contenders import Contender
from gateways.load import Wrong
from gateways.processes import Peak, settled, tree

BLOCK = 1 << 18
SMALL = 16 << 20  # bytes; memory is flat where the large transfer takes no more than this one
ROUNDS = 3
TRIES = 10  # until nothing is learnt any more


@dataclass
class Transfer:
    """One way in: rates in bytes a second, and the peak of memory by size in bytes."""

    name: str
    up: float
    down: float
    static: float | None  # the same web server's own rate for the file
    up_peaks: dict[int, int]
    down_peaks: dict[int, int]


def checksum(path: Path) -> int:
    """Return a file's CRC-32."""
    found = 0
    with path.open("rb") as file:
        while piece := file.read(BLOCK):
            found = crc32(piece, found)
    return found


def upload(who: Contender, file: Path) -> float:
    """Send a file to the script that reads it; return the seconds. Raises Wrong."""
    path = f"{who.path.removesuffix(who.script)}transfer/upload.py"
    connection = http.client.HTTPConnection("127.0.0.1", who.port, 300, blocksize=BLOCK)
    size = file.stat().st_size
    with file.open("rb") as body:
        start = perf_counter()
        fields = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        connection.request("POST", path, body, fields)
        response = connection.getresponse()
        answer = response.read().decode(errors="replace")
        seconds = perf_counter() - start
    connection.close()
    if response.status != 200 or answer != f"{size} {checksum(file):08x}":
        raise Wrong(f"{who.name}: upload: {response.status} {answer:.500}")
    return seconds


def download(port: int, target: str, file: Path, *, compare: bool = False) -> float:
    """Fetch a file and return the seconds; `compare`: look at every byte. Raises Wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", port, 300)
    start = perf_counter()
    connection.request("GET", target)
    response = connection.getresponse()
    buffer = memoryview(bytearray(BLOCK))
    size = found = 0
    while length := response.readinto(buffer):
        size += length
        if compare:
            found = crc32(buffer[:length], found)
    seconds = perf_counter() - start
    connection.close()
    if response.status != 200 or size != file.stat().st_size:
        raise Wrong(f"{target} at {port}: {response.status}, {size} bytes")
    if compare and found != checksum(file):
        raise Wrong(f"{target} at {port}: not the file's bytes")
    return seconds


def learn(who: Contender, roots: list[int], target: str, file: Path) -> None:
    """Use both scripts until that replaces no worker any more. Raises Wrong.

    Workers learn from the first requests what scripts import, and are replaced by new ones that hold
    it. Until the last has gone there are twice as many processes, whatever the size of a body: that
    would be measured instead.
    """
    for _ in range(TRIES):
        before = {pid for root in roots for pid in tree(root)}
        upload(who, file)
        download(who.port, target + file.name, file)
        settled(roots)
        if before == {pid for root in roots for pid in tree(root)}:
            return
    raise Wrong(f"{who.name}: its processes are replaced again and again")


def measure(
    who: Contender, static: int | None, roots: list[int], only: str, files: list[Path]
) -> Transfer:
    """Measure one way in. `files`: the small and the large one. `static`: the port of its own."""
    target = f"{who.path.removesuffix(who.script)}transfer/download.py?file="
    up_peaks, down_peaks = {}, {}
    if only:  # a web server's own processes come and go, and learn nothing
        settled(roots)
    else:
        learn(who, roots, target, files[0])
    for file in files:
        size = file.stat().st_size
        with Peak(roots, only).watch() as peak:
            upload(who, file)
        up_peaks[size] = peak.bytes
        with Peak(roots, only).watch() as peak:
            download(who.port, target + file.name, file, compare=True)
        down_peaks[size] = peak.bytes
    large = files[-1]
    ups, downs, statics = [], [], []
    for _ in range(ROUNDS):
        ups.append(upload(who, large))
        downs.append(download(who.port, target + large.name, large))
        if static:
            statics.append(download(static, f"/cgi-bin/{large.name}", large))
    size = large.stat().st_size
    own = size / median(statics) if statics else None
    return Transfer(who.name, size / median(ups), size / median(downs), own, up_peaks, down_peaks)
