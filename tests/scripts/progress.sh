#!/bin/sh
# Sends a line, and the next one only when the file named by the query string is there
printf 'Content-Type: text/plain\n\nfirst\n'
while [ ! -e "$QUERY_STRING" ]; do sleep 0.05; done
echo second
