"""What a front needs to know of the platform: numbers of system calls, as the kernel has them.

Perl without modules has no functions for four system calls, so a front in Perl is made only where
their numbers and the layout of their structures are known: Linux on the two common 64-bit processors.
`trial.py` tries each front before it is used.
"""

import os
import re
import sys
from typing import NamedTuple


class Machine(NamedTuple):
    """The numbers of uname(2), getcwd(2), sendmsg(2) and setsid(2)."""

    uname: int
    getcwd: int
    sendmsg: int
    setsid: int


#: By the machine's name in uname(2). From the kernel's arch/x86/entry/syscalls/syscall_64.tbl and
#: include/uapi/asm-generic/unistd.h.
KNOWN = {
    "x86_64": Machine(uname=63, getcwd=79, sendmsg=46, setsid=112),
    "aarch64": Machine(uname=160, getcwd=17, sendmsg=211, setsid=157),
}
_PLACE = re.compile(rb"@([A-Z]+)@")


def own() -> Machine | None:
    """Return what is known of this machine, or None."""
    if sys.platform != "linux" or sys.maxsize < 1 << 32:
        return None
    return KNOWN.get(os.uname().machine)


def filled(template: bytes, values: dict[bytes, bytes]) -> bytes:
    """Return a template with its @NAME@ replaced, each by a value of `values`."""
    return _PLACE.sub(lambda place: values[place[1]], template)
