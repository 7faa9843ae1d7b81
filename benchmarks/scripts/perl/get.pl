# CGI.pm, bytes in and bytes out: right for UTF-8, and faster than -utf8, which loads Encode.
use strict;
use warnings;
use CGI;

my $q = CGI->new;
my $name = $q->param('name') // 'world';
print $q->header(-type => 'text/html', -charset => 'utf-8'), '<p>Hello, ', $q->escapeHTML($name), "!</p>\n";
