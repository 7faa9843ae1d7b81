#!/usr/bin/perl
# board.pl: a message board; each message is a file that names the one it answers.
use strict;
use warnings;
use CGI qw(:standard);
use CGI::Carp qw(fatalsToBrowser);
use Fcntl qw(:DEFAULT :flock);
use POSIX qw(strftime);

$CGI::POST_MAX = 50_000;
my $dir = 'data/board';

my %problem;
if (request_method() eq 'POST') {
    foreach my $name (qw(name subject text)) {
        $problem{$name} = 'Please fill in this field.' if (param($name) || '') !~ /\S/;
    }
    if (!%problem) {
        my $number = post();
        my $cookie = cookie(-name => 'name', -value => scalar param('name'), -expires => '+1y');
        print redirect(-uri => url() . "?read=$number", -cookie => $cookie);
        exit;
    }
}
my %messages = map { $_->{number} => $_ } map { message($_) } glob "$dir/*.txt";
my $read = url_param('read') || param('parent') || '';
$read = '' unless $messages{$read};
print header(-charset => 'utf-8'), start_html('Board'), h1('Board');
if (my $m = $messages{$read}) {
    my $time = strftime('%Y-%m-%d %H:%M', gmtime $m->{time});
    print h2(escapeHTML($m->{subject})), p(escapeHTML("by $m->{name}, $time")),
        (map { p(escapeHTML($_)) } split /\n+/, $m->{text}),
        p(a({ -href => url() }, 'All messages')), h2('Answer');
    param('subject', "Re: $m->{subject}") unless defined param('subject');
}
else {
    print thread(''), h2('New message');
}
print start_form(-action => url()),
    hidden(-name => 'parent', -value => $read, -override => 1),
    p('Name', textfield(-name => 'name', -default => cookie('name') || ''),
        problem('name')),
    p('Subject', textfield(-name => 'subject', -size => 40), problem('subject')),
    p('Message', textarea(-name => 'text', -rows => 8, -columns => 60), problem('text')),
    submit(-value => 'Post'), end_form, end_html;

# Returns the messages that answer one, and those that answer these, as HTML.
sub thread {
    my $parent  = shift;
    my @answers = sort { $a <=> $b } grep { $messages{$_}{parent} eq $parent } keys %messages;
    return '' unless @answers;
    return ul(map { li(link_to($messages{$_}), thread($_)) } @answers);
}

sub problem {
    my $name = shift;
    return $problem{$name} ? span({ -class => 'error' }, $problem{$name}) : '';
}

sub link_to {
    my $m = shift;
    return a({ -href => url() . "?read=$m->{number}" }, escapeHTML($m->{subject})),
        escapeHTML("by $m->{name}");
}

sub message {
    my $file = shift;
    open(my $fh, '<', $file) or die "Cannot open $file: $!";
    local $/;
    my ($head, $text) = split /\n\n/, <$fh>, 2;
    my %fields = $head =~ /^(\w+): (.*)$/mg;
    return { %fields, number => $file =~ /(\d+)\.txt$/, text => $text };
}

sub post {
    sysopen(my $count, "$dir/number", O_RDWR | O_CREAT) or die "Cannot open $dir/number: $!";
    flock($count, LOCK_EX) or die "Cannot lock $dir/number: $!";
    my $number = (<$count> || 0) + 1;
    my %fields = map { $_ => scalar param($_) } qw(parent name subject text);
    $fields{parent} = '' unless $fields{parent} =~ /^\d*$/ && -e "$dir/$fields{parent}.txt";
    $fields{$_} =~ s/\s+/ /g for qw(name subject);
    $fields{text} =~ s/\r\n?/\n/g;
    open(my $fh, '>', "$dir/$number.txt") or die "Cannot write $dir/$number.txt: $!";
    print $fh map({ "$_: $fields{$_}\n" } qw(parent name subject)), 'time: ', time, "\n\n$fields{text}";
    close($fh) or die "Cannot write $dir/$number.txt: $!";
    seek($count, 0, 0);
    print $count "$number\n";
    close($count) or die "Cannot write $dir/number: $!";
    return $number;
}
