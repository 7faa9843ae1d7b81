#!/bin/sh
# Says its pid on stderr, and never answers
echo "pid $$" >&2
exec sleep 1000
