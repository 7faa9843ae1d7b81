# CGI.pm with a url-encoded body.
use strict;
use warnings;
use CGI;

my $q = CGI->new;
my $count = scalar(my @names = $q->param);
my $last = $q->param('field20') // '';
print $q->header(-type => 'text/html', -charset => 'utf-8'), "<p>$count fields, the last: ", $q->escapeHTML($last), "</p>\n";
