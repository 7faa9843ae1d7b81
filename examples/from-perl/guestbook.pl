#!/usr/bin/perl
# guestbook.pl: a guestbook in one file, the newest entries first.
use strict;
use warnings;
use CGI qw(:standard);
use CGI::Carp qw(fatalsToBrowser);
use Fcntl qw(:flock);
use POSIX qw(strftime);

$CGI::POST_MAX = 20_000;
my $file = 'data/guestbook.txt';    # a line for each entry: time, name, home page, text
my $max  = 10;                      # entries on the page
my %problem;

my $thanks = '';
if (request_method() eq 'POST') {
    %problem = check();
    if (!%problem) {
        sign();
        Delete_all();
        $thanks = 'Thank you for signing.';
    }
}
print header(-charset => 'utf-8'), start_html('Guestbook'), h1('Guestbook'), p($thanks);
print start_form,
    p('Your name', textfield(-name => 'name', -size => 30, -maxlength => 60), problem('name')),
    p('Home page', textfield(-name => 'home', -size => 30, -maxlength => 200), problem('home')),
    p('Your words', textarea(-name => 'text', -rows => 4, -columns => 50), problem('text')),
    submit(-value => 'Sign'), end_form;
print map { entry($_) } entries();
print end_html;

sub check {
    my %found;
    foreach my $name (qw(name text)) {
        $found{$name} = 'Please fill in this field.' if (param($name) || '') !~ /\S/;
    }
    $found{home} = 'Please enter a web address that begins with https:// or http://.'
        if param('home') && param('home') !~ m{^https?://[^\s/]};
    return %found;
}

sub problem {
    my $name = shift;
    return $problem{$name} ? span({ -class => 'error' }, $problem{$name}) : '';
}

sub sign {
    my @fields = (time, map { scalar param($_) } qw(name home text));
    for (@fields) {
        s/\s+/ /g;    # tabs and line ends separate what is in the file
        s/^ | $//g;
    }
    open(my $fh, '>>', $file) or die "Cannot open $file: $!";
    flock($fh, LOCK_EX) or die "Cannot lock $file: $!";
    print $fh join("\t", @fields), "\n";
    close($fh) or die "Cannot write $file: $!";
}

sub entries {
    open(my $fh, '<', $file) or return;
    flock($fh, LOCK_SH) or die "Cannot lock $file: $!";
    my @lines = reverse <$fh>;
    close($fh);
    $#lines = $max - 1 if @lines > $max;
    return @lines;
}

sub entry {
    chomp(my $line = shift);
    my ($time, $name, $home, $text) = split /\t/, $line, 4;
    my $who = escapeHTML($name);
    $who = a({ -href => $home, -rel => 'nofollow' }, $who) if $home;
    return hr, p(b($who), strftime('%Y-%m-%d %H:%M', gmtime $time)), p(escapeHTML($text));
}
