# Answers what CGI.pm says to one case after another. Both ways, a message is a list of lists of strings:
# each list is preceded by the number of its items, each string by its length (32 bits, big endian; all
# ones for undef). The first string names the operation; an error is a list that begins with "died".
use strict;
use warnings;
no warnings 'redefine';

our $NOW;
BEGIN { $NOW = 1_700_000_000; *CORE::GLOBAL::time = sub { $NOW } }

use CGI ();
use CGI::Cookie ();
use CGI::Util ();
use File::Temp ();

binmode STDIN;
binmode STDOUT;
open(my $in, '<&', \*STDIN) or die "dup: $!";
open(my $out, '>&', \*STDOUT) or die "dup: $!";
binmode $in;
binmode $out;
close STDOUT;
open(STDOUT, '>', '/dev/null') or die "open: $!";
$CGI::LIST_CONTEXT_WARN = 0;
local $SIG{__WARN__} = sub { };

sub take {
    my ($length) = @_;
    my $got = '';
    while (length($got) < $length) {
        my $read = read($in, $got, $length - length($got), length $got);
        exit 0 unless $read;
    }
    return $got;
}

sub receive {
    my @lists;
    for (1 .. unpack 'N', take(4)) {
        my @items;
        for (1 .. unpack 'N', take(4)) {
            my $length = unpack 'N', take(4);
            push @items, $length == 0xffffffff ? undef : take($length);
        }
        push @lists, \@items;
    }
    return @lists;
}

sub answer {
    my $message = pack 'N', scalar @_;
    for my $list (@_) {
        $message .= pack 'N', scalar @$list;
        for my $item (@$list) {
            if (!defined $item) { $message .= pack 'N', 0xffffffff; next }
            my $text = "$item";
            utf8::encode($text) if utf8::is_utf8($text);
            $message .= pack('N', length $text) . $text;
        }
    }
    print {$out} $message;
    $out->flush;
}

sub query {
    my ($variables, $body) = @_;
    %ENV = (TMPDIR => $ENV{TMPDIR}, @$variables);
    close STDIN;
    open(STDIN, '<', \$body) or die "open: $!";
    CGI::initialize_globals();
    undef $CGI::Q;
    $CGI::LIST_CONTEXT_WARN = 0;
    $CGI::USE_PARAM_SEMICOLONS = 0;
    @CGI::QUERY_PARAM = ();
    return CGI->new;
}

sub slurp {
    my ($handle) = @_;
    local $/;
    my $text = <$handle>;
    return defined $text ? $text : '';
}

my %URLS = (
    url => [], absolute => [-absolute => 1], relative => [-relative => 1], base => [-base => 1],
    path => [-path => 1], query => [-query => 1], full => [-full => 1, -path => 1, -query => 1],
    absolute_path => [-absolute => 1, -path => 1],
);

my %PARTS = (
    params => sub {
        my ($q) = @_;
        return map { ['param', $_, $q->multi_param($_)] } $q->multi_param;
    },
    url_params => sub {
        my ($q) = @_;
        return map { my @all = $q->url_param($_); ['url_param', $_, @all] } sort $q->url_param;
    },
    keywords => sub { ['keywords', $_[0]->keywords] },
    cookies => sub {
        my %found = CGI::Cookie->fetch;
        return map { my @all = $found{$_}->value; ['cookie', $_, @all] } sort keys %found;
    },
    uploads => sub {
        my ($q) = @_;
        my @found;
        for my $name ($q->multi_param) {
            for my $value ($q->multi_param($name)) {
                if (ref $value) {
                    my $type = $q->uploadInfo($value)->{'Content-Type'};
                    push @found, ['file', $name, "$value", $type, slurp($value)];
                }
                else { push @found, ['field', $name, $value] }
            }
        }
        push @found, ['error', $q->cgi_error] if $q->cgi_error;
        return @found;
    },
    environ => sub {
        my ($q) = @_;
        my @names = qw(path_info path_translated script_name request_method content_type remote_host
            remote_addr remote_ident remote_user auth_type server_name server_port server_software
            server_protocol referer user_agent protocol raw_cookie env_query_string);
        return (map { [$_, scalar $q->$_] } @names), ['accept', $q->http('Accept-Language')];
    },
    urls => sub {
        my ($q) = @_;
        return (map { [$_, $q->url(@{$URLS{$_}})] } sort keys %URLS), ['self_url', $q->self_url];
    },
    query_string => sub { ['query_string', $_[0]->query_string] },
);

my %OPERATIONS = (
    # [request, body, part…], [name, value…] of the environment
    request => sub {
        my ($first, $variables) = @_;
        my (undef, $body, @parts) = @$first;
        my $q = query($variables, $body);
        return map { $PARTS{$_}->($q) } @parts;
    },
    expires => sub {
        my ($first) = @_;
        (undef, my $when, local $NOW) = @$first;
        return ['expires', CGI::Util::expires($when, 'http')];
    },
    escape => sub { ['escape', CGI::Util::escape($_[0][1])] },
    unescape => sub { ['unescape', CGI::Util::unescape($_[0][1])] },
    escapeHTML => sub { ['html', CGI->new('')->escapeHTML($_[0][1])] },
    unescapeHTML => sub { ['text', CGI->new('')->unescapeHTML($_[0][1])] },
    # [cookie, now], [-name, value, -value, value…]
    cookie => sub {
        local $NOW = $_[0][1];
        return ['cookie', CGI::Cookie->new(@{$_[1]})->as_string];
    },
    # [header, now], [-type, value…], the environment, cookies
    header => sub {
        local $NOW = $_[0][1];
        my $q = query($_[2], '');
        my @cookies = @{$_[3]} ? (-cookie => $_[3]) : ();
        return ['header', $q->header(@{$_[1]}, @cookies)];
    },
    redirect => sub {
        local $NOW = $_[0][1];
        my $q = query($_[2], '');
        return ['header', $q->redirect(@{$_[1]})];
    },
);

while (1) {
    my @asked = receive();
    my @said = eval { $OPERATIONS{$asked[0][0]}->(@asked) };
    answer($@ ? ['died', "$@"] : @said);
}
