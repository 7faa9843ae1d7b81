#!/bin/sh
# Says its pid on stderr, then ignores TERM
trap '' TERM
echo "pid $$" >&2
while :; do sleep 1000; done
