"""Run a program and report its peak memory in KiB as the last line of standard error.

See process.peak_memory for why this is a program of its own; it must stay small.
"""

import os
import sys

pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
os.write(2, b"\npeak %d\n" % usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
