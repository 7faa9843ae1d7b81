#!/bin/sh
printf 'Location: http://example.org/x\n\n'
