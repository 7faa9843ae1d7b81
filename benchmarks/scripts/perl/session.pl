# CGI::Session with its default driver: a file a session.
use strict;
use warnings;
use CGI;
use CGI::Session;

my $q = CGI->new;
my $session = CGI::Session->new(undef, $q, { Directory => 'data' }) or die CGI::Session->errstr;
my $visits = ($session->param('visits') // 0) + 1;
$session->param('visits', $visits);
print $session->header(-type => 'text/html', -charset => 'utf-8'), "<p>Your visit number <b>$visits</b></p>\n";
$session->flush;
