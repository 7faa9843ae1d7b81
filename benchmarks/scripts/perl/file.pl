# CGI.pm with a multipart body.
use strict;
use warnings;
use CGI;

my $q = CGI->new;
my $note = $q->param('note') // '';
my $name = $q->param('file');
my $size = -s $q->upload('file');
print $q->header(-type => 'text/html', -charset => 'utf-8'), '<p>', $q->escapeHTML($note), ': ', $q->escapeHTML("$name"), ", $size bytes</p>\n";
