"""Warm where the web server knows nothing but CGI: `cgikit accelerate`.

The web server executes a small program, the *front*, in the place of the script. The front hands its
three standard streams and its environment to a process in which Python is loaded already, the
*daemon*; a child of that becomes the script. Nothing is relayed: the script reads and writes the
server's own descriptors. Wherever there is no daemon, or any doubt, the front executes the script.

**The directory.** One daemon for each folder of scripts, user, interpreter and machine, in a directory
BASE/HOST-UID-ID of mode 0700 (`directory.py`), which `accelerate` makes, never a request:

- `settings`: which scripts, which interpreter, how long it waits; written by `accelerate` alone
- `s`: the daemon's socket, bound under another name and renamed
- `lock`: flock'ed by the front that starts a daemon; the daemon inherits that lock and keeps it
- `asked`: its time is that of the last request without a daemon. One that comes within `--idle`
  seconds of another starts a daemon, beside its own answer
- `wait`: no daemon is started before its time; it says how many seconds that were
- `direct`: one letter for each request that ran directly, and why
- `counts`, `learnt`, `log`: the daemon's own

**The hand-over**, once and only once:

1. The front checks the directory, connects (never waiting), and checks the daemon's user. The daemon
   forks, and the *child* says `H`; from there on the daemon only watches: no front can block it.
2. The front sends one message, with descriptors 0, 1 and 2 (`message.py`). Sent earlier, they would
   wait in the socket of a daemon that is stopped, and the web server would wait for their end.
3. The child checks what it must have in common with a process that the server had started, and that
   the script and its libraries are as they are on disk; it takes over limits and umask. It says
   `R CHILD FRONT` (process ids), or `D REASON`.
4. Within 250 ms of its connection the front says `G`: until then nobody has read standard input or
   run a line of the script, and after it the front will not. Where `R` does not come, the front closes
   the connection and executes the script. A child that waits too long for `G` first shuts its end, so
   that a `G` is either read by it or fails in the front.
5. The front closes its own copies of the streams and waits. The child says `E STATUS` as its last act
   (`P STATUS` if Python still has to clear up: it counts if nothing follows); the daemon, which
   has reaped it, says `E STATUS` or `K SIGNAL`. The front ends the same way.

A front that is told to end (TERM, HUP, INT) sends that on to the child. If the front is gone before the
child has ended, the daemon ends the child's process group.
"""
