#!/usr/bin/perl
# Greets, in Perl, and says how many bytes came in
use strict;
my $body = '';
read(STDIN, $body, $ENV{CONTENT_LENGTH}) if $ENV{CONTENT_LENGTH};
print "Content-Type: text/plain\r\n\r\n";
print "perl $ENV{REQUEST_METHOD} $ENV{PATH_INFO} ", length($body), "\n";
