#!/bin/sh
# Shows the request: the variables, and what stands on standard input.
printf 'Content-Type: text/plain\n\n'
env | sort
head -c "${CONTENT_LENGTH:-0}"
