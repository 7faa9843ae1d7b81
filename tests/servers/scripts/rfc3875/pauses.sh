#!/bin/sh
# Two writes with a pause between: a server must not take the first for all.
printf 'Content-Type: text/plain\n\nfirst\n'
sleep 0.2
echo last
