"""`cgikit.accelerate.machine`: the numbers of system calls, and templates."""

import ctypes
import os
import sys

import pytest

from cgikit.accelerate import machine


def test_the_numbers_are_those_of_this_kernel() -> None:
    own = machine.own()
    if own is None:
        assert sys.platform != "linux" or os.uname().machine not in {"x86_64", "aarch64"}
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = ctypes.create_string_buffer(512)
    assert libc.syscall(own.uname, names) == 0
    assert names.raw[65:].split(b"\0")[0].decode() == os.uname().nodename
    directory = ctypes.create_string_buffer(4_096)
    assert libc.syscall(own.getcwd, directory, 4_096) > 0
    assert directory.value == os.getcwdb()
    assert libc.syscall(own.sendmsg, -1, 0, 0) == -1
    assert ctypes.get_errno() in {9, 14}  # EBADF, EFAULT: it is a call that takes a descriptor


def test_a_value_is_never_taken_for_a_place() -> None:
    values = {b"A": b"@B@", b"B": b"x"}
    assert machine.filled(b"@A@ @B@ @ARGV, user@example", values) == b"@B@ x @ARGV, user@example"


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        machine.filled(b"@A@", {})
