"""An object whose state only C sees is a reason against serving several requests; others are not."""

import subprocess
import sys

import pytest

HIDING = {
    "a digest": "import hashlib; kept = hashlib.sha256()",
    "one in a tuple": "import hashlib; kept = (1, (hashlib.sha256(),))",
    "a compressor": "import zlib; kept = zlib.compressobj()",
    "an iterator": "kept = iter('abc')",
    "a ring": "import itertools; kept = itertools.cycle('abc')",
    "memory": "import mmap; kept = mmap.mmap(-1, 4096)",
    "a decoder": "import codecs; kept = codecs.getincrementaldecoder('shift_jis')()",
    "a parser": "import pyexpat; kept = pyexpat.ParserCreate()",
    "a database": "import sqlite3; kept = sqlite3.connect(':memory:')",
    "data of C": "import ctypes; kept = ctypes.c_int(3)",
    "an error with a place": "kept = UnicodeDecodeError('ascii', b'abc', 1, 2, 'none')",
    "a class of one": "import itertools\nclass Count(itertools.cycle): pass\nkept = Count('abc')",
}
OPEN = {
    "nothing": "",
    "containers": "import collections; kept = [{1: {2}}, collections.OrderedDict(), bytearray(3)]",
    "a class": "class Kept(dict):\n    __slots__ = ('name',)\nkept = Kept()",
    "an exception": "kept = ValueError('no')",
    "a function of C": "import ctypes; kept = ctypes.memmove",
    "a lock": "import threading; kept = threading.Lock(), threading.local(), threading.Event()",
    "random numbers": "import random; kept = random.Random(3), random.SystemRandom()",
    "a generator": "kept = (number for number in (1, 2))",
    "a tuple with names": "import os, sys; kept = os.stat('/'), sys.version_info",
    "the standard library": "import asyncio, concurrent.futures, datetime, decimal, email.message\n"
    "import html.parser, http.client, json, logging, re, sqlite3, typing, urllib.request, uuid\n"
    "import cgikit, cgikit.sessions, dateutil.parser, dateutil.tz, multipart",
}


def obstacle(code: str) -> str:
    code = f"{code}\nfrom cgikit.warm import kinds; print(kinds.obstacle())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("code", HIDING.values(), ids=list(HIDING))
def test_it_is_seen(code: str) -> None:
    assert obstacle(code).endswith("may hide a change")


@pytest.mark.parametrize("code", OPEN.values(), ids=list(OPEN))
def test_it_is_no_obstacle(code: str) -> None:
    assert obstacle(code) == ""


def test_what_is_the_engines_own_may_hide_something() -> None:
    code = "import mmap; kept = mmap.mmap(-1, 9)\nfrom cgikit.warm import kinds as k"
    assert obstacle(f"{code}\nprint('[' + k.obstacle((kept,)) + ']')\ndel kept").startswith("[]")
