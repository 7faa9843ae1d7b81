# CGI.pm, a large file: its temporary file is moved.
use strict;
use warnings;
use CGI;

my $q = CGI->new;
my $file = $q->upload('file');
rename($q->tmpFileName($file), 'upload.bin') or die $!;
my $size = -s 'upload.bin';
print $q->header(-type => 'text/html', -charset => 'utf-8'), "<p>$size bytes saved</p>\n";
