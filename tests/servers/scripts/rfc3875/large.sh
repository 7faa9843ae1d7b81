#!/bin/sh
# A million bytes, as fast as they go.
printf 'Content-Type: text/plain\n\n'
line=0123456789
for _ in 1 2 3 4 5; do
  line=$line$line$line$line$line$line$line$line$line$line
done
printf %s "$line"
