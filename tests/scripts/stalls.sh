#!/bin/sh
# Answers a little, then goes silent
echo "pid $$" >&2
printf 'Content-Type: text/plain\n\nbegun\n'
exec sleep 1000
