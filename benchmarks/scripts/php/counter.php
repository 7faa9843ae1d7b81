<?php
$digits = (int) ($_GET['digits'] ?? 6);
$lock = fopen('data/count.dat.lock', 'w');
flock($lock, LOCK_EX) or exit(1);
$count = (int) file_get_contents('data/count.dat') + 1;
file_put_contents('data/count.dat.new', "$count\n");
rename('data/count.dat.new', 'data/count.dat') or exit(1);
fclose($lock);
printf("<p>You are visitor number <b>%0{$digits}d</b></p>\n", $count);
