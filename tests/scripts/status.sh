#!/bin/sh
# Prints the query string as its Status
printf 'Status: %s\nContent-Type: text/plain\n\nbody' "$(printf %s "$QUERY_STRING" | sed 's/%20/ /g')"
