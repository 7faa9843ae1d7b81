"""The front that a bundle carries: the one in Perl, which finds out on the host what `accelerate` would
have written into it: where it is, who runs it, on which machine.
"""

from . import carried, machine, perlfront
from .installation import MARK

HEAD = rb"""#!/usr/bin/perl
# Runs the script @SHOWN@ in a process that has Python loaded already.
#
@MARK@, for "cgikit bundle --accelerate". A web server runs it
# as the CGI program, and it hands its environment and its standard streams to a process that waits in
# the folder below, if you have made that: it is yours, and has mode 700. Where there is none, or at the
# slightest doubt, it runs the script itself. The page "accelerate" of cgikit's documentation says how.

my ($up, $folder) = (@UP@, '@FOLDER@');     # so many directories up from this one, then down
my ($depth, $identity) = (@DEPTH@, '@IDENTITY@');     # of this front in its bundle; of the bundle
my $python = '@PYTHON@';
my ($user, $idle) = ($> || -1, @IDLE@);     # never as root
my ($UNAME, $GETCWD, $SENDMSG, $SETSID);     # system calls of this platform
my ($here) = $0 =~ m{^(.*)/}s;
my $script = (defined $here ? $here : '.') . '/@SCRIPT@';
my ($base, $tail, @daemon);

# Whether all that is known
sub find {
    my ($host, $machine);
    for (@KNOWN@) {
        ($UNAME, $GETCWD, $SENDMSG, $SETSID, my $name) = @$_;
        my $names = "\0" x 512;
        syscall $UNAME, $names;
        ($host, $machine) = unpack 'x65 Z65 x130 Z65', $names;
        last if $machine eq $name;
        $machine = '';
    }
    return 0 if !$machine;
    my $cwd = "\0" x 4096;
    syscall($GETCWD, $cwd, 4096) > 0 or return 0;
    $cwd = unpack 'Z*', $cwd;
    my @own = stat(defined $here ? $here : '.');
    my @current = stat $cwd;
    return 0 if !@own || !@current || "@own[0, 1]" ne "@current[0, 1]";
    $script = "$cwd/@SCRIPT@";
    my $top = $cwd;
    $top =~ s{/[^/]*\z}{} for 1 .. $depth;
    $base = $cwd;
    $base =~ s{/[^/]*\z}{} for 1 .. $up;
    $base .= "/$folder";
    my @found = lstat $base;
    return 0 if !@found || $found[4] != $user || ($found[2] & 0170077) != 0040000;
    my @place = stat $top;
    $tail = "-$user-$identity-$place[1]";
    mkdir "$base/$host$tail", 0700;     # it may be there
    @daemon = ('-IS', '-c', '@CODE@', "$top/cgikit_bundle");
    return 1;
}

"""
#: Where the text of `perlfront` begins that both have.
_BODY = b"my $dir;\n"
_CALL = b"my $why = hand_over();"


def text(script: str, folder: str, depth: int, python: str, identity: str) -> bytes:
    """Return the front (bytes) for a script (its name) that is `depth` directories below the top of its
    bundle.

    `folder` is the path of the daemon's folder from that top, and begins with "../". `python` is the
    interpreter of the bundle, `identity` tells bundles apart.
    """
    parts = folder.split("/")
    inner = [part for part in parts if part != ".."]
    known = ", ".join(
        f"[{one.uname}, {one.getcwd}, {one.sendmsg}, {one.setsid}, '{name}']"
        for name, one in machine.KNOWN.items()
    )
    values = {
        b"MARK": MARK,
        b"SHOWN": script.encode("ascii", "backslashreplace"),
        b"UP": b"%d" % (depth + len(parts) - len(inner)),
        b"FOLDER": perlfront.quoted("/".join(inner).encode()),
        b"DEPTH": b"%d" % depth,
        b"IDENTITY": identity.encode(),
        b"PYTHON": perlfront.quoted(python.encode()),
        b"IDLE": b"%d" % carried.IDLE,
        b"SCRIPT": script.encode(),
        b"KNOWN": known.encode(),
        b"CODE": perlfront.quoted(carried.CODE.encode()),
    }
    _, begin, body = perlfront.TEMPLATE.partition(_BODY)
    body = body.replace(_CALL, b"my $why = find() ? hand_over() : 'd';")
    return machine.filled(HEAD, values) + begin + body
