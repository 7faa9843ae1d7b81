"""Which state is another in each process (S8), and which is meant to be equal in all."""

import os
import sys
from collections.abc import Callable

import pytest

from cgikit.warm import state

#: Each as a library may have it at its import.
ANOTHER = {
    "a generator": "import random\nrng = random.Random()",
    "a generator in a class": "import random\nclass A:\n    rng = random.Random()",
    "a generator in an object": "import random\nclass A: pass\na = A()\na.b = {'c': [random.Random()]}",
    "a generator in a closure": "import random\ndef made(rng):\n    return lambda: rng.random()\n"
    "token = made(random.Random())",
    "a generator in a default": "import random\ndef token(rng=random.Random()): return rng.random()",
    "a generator in a keyword": "import random\ndef token(*, rng=random.Random()): return 1",
    "a generator in a method": "import random\ntoken = random.Random().random",
    "a generator in a partial": "import functools, random\n"
    "token = functools.partial(random.Random.random, random.Random())",
    "a number by chance": "import random\nNUMBER = random.random()",
    "bytes from the system": "import os\nKEY = os.urandom(16)",
    "bytes in a tuple": "import os\nKEYS = ((os.urandom(16),),)",
    "bytes that can change": "import os\nKEY = bytearray(os.urandom(16))",
    "a key of a dict": "import uuid\nD = {uuid.uuid4().hex: 1}",
    "an identifier": "import uuid\nID = uuid.uuid4()",
    "a secret": "import secrets\nTOKEN = secrets.token_hex()",
    "a process id": "import os\nPID = os.getpid()",
    "a process id in a text": "import os\nNAME = f'{os.getpid()}-name'",
    "a counter from a process id": "import itertools, os\nIDS = itertools.count(os.getpid() * 1000)",
    "the time": "import time\nNOW = int(time.time())",
    "the time as imported": "from time import time\nNOW = int(time())",
    "the time in nanoseconds": "import time\nNOW = time.time_ns() // 10**9",
    "the year and day": "import time\nNOW = time.strftime('%Y-%m-%d')",
    "the local time": "import time\nNOW = time.localtime()[:5]",
    "a date and time": "import datetime\nNOW = datetime.datetime.now()",
}
EQUAL = {
    "nothing": "",
    "definitions": "import re, os.path\nA = 1\ndef f(x=2, *, y=(3, 'four')): return x\nclass B(dict):\n"
    "    c = {1: [2]}\n    def d(self): pass\nP = re.compile('x')",
    "a generator with a seed": "import random\nrng = random.Random(42)",
    "the hidden generator": "import random\nfrom random import choice, random as chance\nR = random",
    "the system's generator": "import random\nrng = random.SystemRandom()",
    "a counter": "import itertools\nIDS = itertools.count()",
    "a lock and a thread's own": "import threading\nLOCK = threading.Lock()\n"
    "LOCAL = threading.local()\nMAIN = threading.main_thread()",
    "a logger": "import logging\nlog = logging.getLogger(__name__)\n"
    "log.addHandler(logging.NullHandler())",
    "another module's": "import os, sys\nMODULES = sys.modules\nENVIRON = os.environ",
    "a cycle": "A = []\nA.append(A)",
    "what is deep": "A = 1\nfor _ in range(100_000): A = [A]\n",
    "functions of the clock": "from time import time, gmtime, strftime",
}


def digest(source: str, shift: int) -> bytes:
    """What a child says of a module with that source."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        status = 1
        try:
            state.shift_clock(shift)
            module = type(sys)("library")
            exec(compile(source, "library.py", "exec"), module.__dict__)
            os.write(writer, str(state.digests({"library": module})).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    said = os.read(reader, 1_000)
    os.close(reader)
    assert os.waitpid(pid, 0)[1] == 0
    return said


@pytest.mark.parametrize("case", [*ANOTHER, *EQUAL])
def test_a_state_is_another_or_equal(case: str) -> None:
    source = (ANOTHER | EQUAL)[case]
    assert (digest(source, 0) == digest(source, 90_061)) is (case in EQUAL)


@pytest.mark.parametrize(
    "asked",
    [
        lambda time: time.time(),
        lambda time: time.time_ns() / 1e9,
        lambda time: time.mktime(time.localtime()),
        lambda time: time.mktime(time.strptime(time.ctime())),
        lambda time: float(time.strftime("%s")),
    ],
)
def test_the_clock_is_shifted(asked: Callable[[object], float]) -> None:
    import time

    real = asked(time)
    names = ("gmtime", "localtime", "ctime", "strftime", "time", "time_ns")
    saved = {name: getattr(time, name) for name in names}
    try:
        state.shift_clock(1_000_000)
        assert 999_000 < asked(time) - real < 1_010_000
        assert time.gmtime(0)[:3] == (1970, 1, 1)
        assert time.strftime("%Y", time.gmtime(0)) == "1970"
    finally:
        vars(time).update(saved)
