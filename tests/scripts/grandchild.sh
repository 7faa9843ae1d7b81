#!/bin/sh
# Leaves a process in its group that holds the pipes
sleep 1000 &
echo "pid $!" >&2
printf 'Content-Type: text/plain\n\ndone\n'
