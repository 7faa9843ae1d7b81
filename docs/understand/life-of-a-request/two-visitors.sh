#!/bin/sh
# Two visitors at once. The first is stopped when it has read the file and closes it, and goes on
# when the second has gone.
echo 41 >count.dat
rm -f log
strace -P count.dat -e inject=close:signal=SIGSTOP:when=1 -o log ./counter.py >first &
until grep -q 'stopped by' log 2>/dev/null; do sleep 0.1; done
./counter.py >second
kill -CONT "$(pgrep -P $!)"
wait
tail -n 1 -q first second
cat count.dat
