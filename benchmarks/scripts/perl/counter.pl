# CGI.pm and a counter by hand: flock, read, write a new file, rename it.
use strict;
use warnings;
use CGI;
use Fcntl ':flock';

my $q = CGI->new;
my $digits = $q->param('digits') // 6;
open(my $lock, '>', 'data/count.dat.lock') or die $!;
flock($lock, LOCK_EX) or die $!;
open(my $old, '<', 'data/count.dat') or die $!;
my $count = <$old> + 1;
close $old;
open(my $new, '>', 'data/count.dat.new') or die $!;
print $new "$count\n" or die $!;
close($new) or die $!;
rename('data/count.dat.new', 'data/count.dat') or die $!;
close $lock;
print $q->header(-type => 'text/html', -charset => 'utf-8'), sprintf("<p>You are visitor number <b>%0${digits}d</b></p>\n", $count);
