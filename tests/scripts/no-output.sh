#!/bin/sh
echo "reason on stderr" >&2
exit 3
