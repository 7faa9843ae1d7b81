# CGI::Fast: perl/get.pl in a loop that answers one request after another.
use strict;
use warnings;
use CGI::Fast;

while (my $q = CGI::Fast->new) {
    my $name = $q->param('name') // 'world';
    print $q->header(-type => 'text/html', -charset => 'utf-8'), '<p>Hello, ', $q->escapeHTML($name), "!</p>\n";
}
