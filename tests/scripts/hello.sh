#!/bin/sh
# Greets, in shell
printf 'Content-Type: text/plain\n\n'
printf 'shell %s %s\n' "$REQUEST_METHOD" "$PATH_INFO"
