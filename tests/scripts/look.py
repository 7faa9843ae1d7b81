"""Prints, as JSON, whatever a script can see of the way it was started."""

import sys

seen = {"modules": sorted(sys.modules)}
own = {name: repr(value).partition(" at 0x")[0] for name, value in globals().items()}
seen["globals"] = {name: own[name] for name in sorted(own) if name not in ("seen", "sys")}

import atexit  # noqa: E402
import builtins  # noqa: E402
import ctypes  # noqa: E402
import decimal  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import locale  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402
import warnings  # noqa: E402

main = sys.modules["__main__"]
seen["__main__"] = {
    "is here": main.__dict__ is globals(),
    "repr": repr(main),
    "builtins": main.__builtins__ is builtins,
    "loader": [type(main.__loader__).__name__, main.__loader__.name, main.__loader__.path],
    "class": (lambda: 0).__module__,
}

# --- environment: as Python, as C, and as a program that is started sees it -------------------------
getenv = ctypes.CDLL(None).getenv
getenv.restype = ctypes.c_char_p
env = subprocess.run(["/usr/bin/env", "-0"], stdout=subprocess.PIPE, check=True).stdout
seen["environ"] = dict(sorted(os.environ.items()))
seen["environb"] = sorted(repr(pair) for pair in os.environb.items())
seen["getenv"] = {name: repr(getenv(os.fsencode(name))) for name in sorted(os.environ)}
seen["env"] = sorted(map(repr, env.split(b"\0")))

# --- sys --------------------------------------------------------------------------------------------
for name in (
    "argv",
    "orig_argv",
    "path",
    "flags",
    "warnoptions",
    "_xoptions",
    "executable",
    "prefix",
    "exec_prefix",
    "base_prefix",
    "dont_write_bytecode",
    "pycache_prefix",
    "platlibdir",
):
    value = getattr(sys, name)
    seen[name] = repr(value) if name in ("flags",) else value
seen["names in sys"] = sorted(dir(sys))
seen["importers"] = [repr(finder).partition(" at 0x")[0] for finder in sys.meta_path]
seen["path hooks"] = [getattr(hook, "__qualname__", "") for hook in sys.path_hooks]
seen["hooks"] = [
    sys.excepthook is sys.__excepthook__,
    sys.displayhook is sys.__displayhook__,
    sys.unraisablehook is sys.__unraisablehook__,
    sys.breakpointhook is sys.__breakpointhook__,
    threading.excepthook is threading.__excepthook__,
    sys.gettrace(),
    sys.getprofile(),
    sys.exc_info(),
]
seen["numbers"] = [
    sys.getrecursionlimit(),
    sys.getswitchinterval(),
    sys.get_int_max_str_digits(),
    sys.getfilesystemencoding(),
    sys.getdefaultencoding(),
]

# --- streams and descriptors ------------------------------------------------------------------------
for name in ("stdin", "stdout", "stderr"):
    stream = getattr(sys, name)
    seen[name] = {
        "text": [stream.name, stream.mode, stream.encoding, stream.errors, stream.newlines],
        "buffering": [stream.line_buffering, stream.write_through],
        "can": [stream.isatty(), stream.seekable(), stream.readable(), stream.writable()],
        "kinds": [type(s).__name__ for s in (stream, stream.buffer, stream.buffer.raw)],
        "raw": [stream.buffer.raw.closefd, stream.buffer.raw.mode, stream.fileno()],
        "original": stream is getattr(sys, f"__{name}__"),
        "descriptor": [os.get_blocking(stream.fileno()), os.get_inheritable(stream.fileno())],
    }


def descriptors() -> dict[int, str]:
    found = {}
    for number in range(256):
        try:
            found[number] = os.readlink(f"/proc/self/fd/{number}").partition(":")[0]
        except OSError:
            pass
    return found


seen["descriptors"] = descriptors()

# --- the process ------------------------------------------------------------------------------------
status = open("/proc/self/status").read().splitlines()  # noqa: SIM115
seen["status"] = [
    line
    for line in status
    if line.startswith(("Sig", "Umask", "Threads", "Uid", "Gid", "Groups", "Cap", "NoNewPrivs"))
    and not line.startswith("SigQ")
]
seen["handlers"] = {n: repr(signal.getsignal(n)) for n in sorted(signal.valid_signals())}
seen["mask"] = sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, [])))
seen["timers"] = [signal.getitimer(kind) for kind in range(3)] + [signal.set_wakeup_fd(-1)]
seen["directory"] = os.getcwd()
seen["leads"] = [os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid()]
limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
seen["limits"] = {name: resource.getrlimit(getattr(resource, name)) for name in limits}
seen["priority"] = [os.getpriority(os.PRIO_PROCESS, 0), sorted(os.sched_getaffinity(0))]
seen["threads"] = [
    threading.main_thread() is threading.current_thread(),
    threading.active_count(),
    threading.get_ident() == threading.main_thread().ident,
    threading.get_native_id() == threading.main_thread().native_id == os.getpid(),
    threading.current_thread().name,
]

# --- what libraries keep ----------------------------------------------------------------------------
seen["gc"] = [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)]
seen["exit handlers"] = atexit._ncallbacks()
seen["warnings"] = list(map(repr, warnings.filters))
seen["locale"] = [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding()]
seen["decimal"] = repr(decimal.getcontext())

print("Content-Type: application/json\n")
print(json.dumps(seen))
