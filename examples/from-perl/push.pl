#!/usr/bin/perl
# push.pl: server push; each picture replaces the one before it.
use strict;
use warnings;
use CGI qw(:push);
use CGI::Carp qw(fatalsToBrowser);

my $q     = CGI->new;
my $from  = $q->param('from') || 5;
my $delay = $q->param('delay');
$from  = 5 unless $from =~ /^[1-9]$/;
$delay = 1 unless defined $delay && $delay =~ /^[0-5]$/;

$| = 1;
print $q->multipart_init(-boundary => 'a_picture_ends_here');
foreach my $number (reverse 0 .. $from) {
    print $q->multipart_start(-type => 'image/svg+xml'), picture($number || 'Go!');
    print $number ? $q->multipart_end : $q->multipart_final;
    sleep $delay if $number;
}

sub picture {
    my $text = $q->escapeHTML(shift);
    return <<"END";
<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
  <rect width="300" height="200" fill="navy"/>
  <text x="150" y="125" font-size="90" text-anchor="middle" fill="white">$text</text>
</svg>
END
}
