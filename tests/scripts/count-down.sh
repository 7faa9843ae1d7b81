#!/bin/sh
# Redirects locally as often as the query string says
if [ "$QUERY_STRING" -gt 0 ]; then
    printf 'Location: /count-down.sh?%s\n\n' $((QUERY_STRING - 1))
else
    printf 'Content-Type: text/plain\n\narrived\n'
fi
