#!/bin/sh
printf 'Location: /loop.sh\n\n'
