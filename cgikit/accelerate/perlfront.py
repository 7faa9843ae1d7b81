"""The front in Perl, without any module: it starts in a tenth of the time that Python takes."""

from .machine import Machine, filled

TEMPLATE = rb"""#!@PERL@
# Runs the script @SHOWN@ in a process that has Python loaded already.
#
# "cgikit accelerate" made this file; "cgikit accelerate --undo" removes it. A web server runs it as the
# CGI program, and it hands its environment and its standard streams to a process that waits in the
# directory below. Where there is none, or at the slightest doubt, it runs the script itself.
# The page "accelerate" of cgikit's documentation says how.

my $script = '@SCRIPT@';
my $base = '@BASE@';      # the directory is $base/HOST$tail: homes may be shared by machines
my $tail = '-@TAIL@';
my $python = '@PYTHON@';
my @daemon = ('-c', '@CODE@', '@PACKAGE@');
my ($user, $idle) = (@USER@, @IDLE@);
# System calls of this platform
my ($UNAME, $GETCWD, $SENDMSG, $SETSID) = (@UNAME@, @GETCWD@, @SENDMSG@, @SETSID@);

my $dir;

# Has the waiting process run the script, and ends as it ends. Returns why not, as a letter
sub hand_over {
    return 'u' if $> != $user || $< != $user;
    my $names = "\0" x 512;
    syscall $UNAME, $names;
    my $host = unpack 'x65 Z65', $names;
    my @found = lstat "$base/$host$tail";
    return 'd' if !@found || $found[4] != $user || ($found[2] & 0170077) != 0040000;
    $dir = "$base/$host$tail";

    socket S, 1, 1 | 0x800, 0 or return 's';     # AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK
    return 's' if fileno(S) < 3 || fileno(DATA) < 3;     # a standard stream is closed
    return 's' if ${^UNICODE};     # the arguments are not bytes
    if (!connect S, pack 'Sa*x', 1, "$dir/s") {
        return 'f' if $! == 11;     # EAGAIN: too many wait already
        return 'n';
    }
    my (undef, $theirs) = unpack 'ii', getsockopt(S, 1, 17) || '';     # SOL_SOCKET, SO_PEERCRED
    return 'o' if !defined $theirs || $theirs != $user;

    my $cwd = "\0" x 4096;
    syscall($GETCWD, $cwd, 4096) > 0 or return 's';
    $cwd = unpack 'Z*', $cwd;
    my $environment;
    if (open my $own, '<:raw', '/proc/self/environ') { local $/; $environment = <$own> }
    return 's' if !length $environment;
    my $told = join("\0", 'cgikit 1', $script, $cwd, umask, scalar @ARGV, @ARGV, $environment);
    $told = pack('N', length $told) . $told;
    my $part = pack 'PQ', $told, length $told;     # struct iovec
    my $streams = pack 'Qi5', 28, 1, 1, 0, 1, 2;     # struct cmsghdr: SOL_SOCKET, SCM_RIGHTS
    my $message = pack 'QQPQPQQ', 0, 0, $part, 1, $streams, 28, 0;     # struct msghdr
    # Not before somebody is there to take them: streams on the way would keep the server waiting
    my $bits = '';
    vec($bits, fileno S, 1) = 1;
    my (undef, $left) = select my $ready = $bits, undef, undef, 0.25;
    my $said = '';
    sysread S, $said, 400 or return 'l';
    return 'r' if $said ne "H\n";
    my $sent = syscall $SENDMSG, fileno S, $message, 0x4040;     # MSG_NOSIGNAL | MSG_DONTWAIT
    return $sent > 0 ? 'm' : 's' if $sent != length $told;

    select $ready = $bits, undef, undef, $left;
    sysread S, $said, 400 or return 'l';
    my ($child, $own) = $said =~ /^R (\d+) (\d+)\n\z/ or return 'r';
    return 's' if $own != $$;     # it sees other process ids
    my @stopping = grep { ($SIG{$_} || '') ne 'IGNORE' } 'TERM', 'HUP', 'INT';
    for my $name (@stopping) { $SIG{$name} = sub { kill $name, $child } }
    if ((send(S, 'G', 0x4000) || 0) != 1) {     # MSG_NOSIGNAL
        $SIG{$_} = 'DEFAULT' for @stopping;
        return 'l';
    }

    # From here on the script runs there, and never here
    close STDIN;
    close STDOUT;
    close STDERR;
    $said = '';
    while ($said !~ /^[EK] \d+$/m) {
        select $ready = $bits, undef, undef, undef;
        my $more = sysread S, $said, 400, length $said;
        last if defined $more ? !$more : $! != 4 && $! != 11;     # EINTR, EAGAIN
    }
    exit $1 if $said =~ /^E (\d+)$/m || $said !~ /^K/m && $said =~ /^P (\d+)$/m;
    my $signal = $said =~ /^K (\d+)$/m ? $1 : 9;
    $SIG{$_} = 'DEFAULT' for @stopping;
    kill $signal, $$;
    exit 128 + $signal;
}

my $why = hand_over();
close S;
eval join '', <DATA> if $why eq 'n';     # compiled only when it is needed
if ($dir && (!-s "$dir/direct" || -s _ < 1_000_000) && open my $record, '>>', "$dir/direct") {
    syswrite $record, $why;
    close $record;
}
my $own = fileno DATA;     # that of a standard stream, if this was closed
close DATA;
close((\*STDIN, \*STDOUT, \*STDERR)[$own]) if $own < 3;
exec { $script } $script, @ARGV or print STDERR "$script cannot be started: $!\n";
exit 127;

__END__
sub touch {
    my ($file, $time) = @_;
    utime $time, $time, $file or open(my $new, '>', $file) && utime $time, $time, $file;
}

# Starts a process for later requests, if one came within the last $idle seconds
sub start {
    my $now = time;
    my @wait = stat "$dir/wait";
    return if @wait && $wait[9] > $now && $wait[9] < $now + 90_000;     # else the clock was wrong
    my @asked = stat "$dir/asked";
    touch("$dir/asked", $now);
    return if !@asked || $now - $asked[9] > $idle;
    local $^F = 1000;     # what is opened is inherited
    open my $lock, '>>', "$dir/lock" or return;
    flock $lock, 6 or return;     # LOCK_EX | LOCK_NB: there is one, or it is being started
    touch("$dir/wait", $now + 30);     # in case it fails before it can say so
    my $pid = fork;
    return if !defined $pid;
    if ($pid) { waitpid $pid, 0; return }
    syscall $SETSID;     # a server may end the group of a script with it
    my $second = fork;
    exit if $second || !defined $second;
    pipe my $in, my $out;
    open STDIN, '<&', $in;
    open STDOUT, '>&', $out;
    open STDERR, '>&', $out;     # the server waits until nobody has its streams
    my %kept;
    for (grep /^(?:PATH|HOME|TZ|LANG|LANGUAGE|(?:LC_|PYTHON|LD_)\w+)\z/, keys %ENV) {
        $kept{$_} = $ENV{$_};
    }
    %ENV = (%kept, LD_BIND_NOW => 1);
    umask 077;
    exec { $python } $python, @daemon, $dir, fileno $lock or exit;
}

start();
"""


def text(numbers: Machine, values: dict[bytes, bytes]) -> bytes:
    """Return the front (bytes). `values` are what both fronts have to know, without quotes."""
    calls = {
        b"UNAME": b"%d" % numbers.uname,
        b"GETCWD": b"%d" % numbers.getcwd,
        b"SENDMSG": b"%d" % numbers.sendmsg,
        b"SETSID": b"%d" % numbers.setsid,
    }
    texts = {name: quoted(value) for name, value in values.items()}
    return filled(TEMPLATE, {**texts, **calls})


def quoted(value: bytes) -> bytes:
    """Return bytes as they stand between Perl's single quotes."""
    return value.replace(b"\\", b"\\\\").replace(b"'", b"\\'")
