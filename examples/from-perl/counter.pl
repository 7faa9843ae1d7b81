#!/usr/bin/perl
# counter.pl: a visitor counter; a visitor counts once an hour.
use strict;
use warnings;
use CGI qw(:standard);
use CGI::Carp qw(fatalsToBrowser);
use Fcntl qw(:DEFAULT :flock);

my $file = 'data/count.dat';

my $seen   = cookie('visited');
my $count  = count(!$seen);
my $digits = param('digits') || 6;
$digits = 6 unless $digits =~ /^(?:[1-9]|1[0-2])$/;

my $cookie = cookie(-name => 'visited', -value => 1, -expires => '+1h');
print header(-charset => 'utf-8', -cookie => $cookie, -expires => 'now'),
    start_html('Visitors'),
    h1(sprintf "You are visitor number %0${digits}d", $count),
    p($seen ? 'Welcome back.' : 'Welcome.'),
    end_html;

# Returns the number of visitors, with this one if it is a new one.
sub count {
    my $new = shift;
    sysopen(my $fh, $file, O_RDWR | O_CREAT) or die "Cannot open $file: $!";
    flock($fh, LOCK_EX) or die "Cannot lock $file: $!";
    my $count = <$fh> || 0;
    $count += 0;
    if ($new) {
        seek($fh, 0, 0);
        truncate($fh, 0);
        print $fh ++$count, "\n";
    }
    close($fh) or die "Cannot write $file: $!";
    return $count;
}
