#!/bin/sh
printf 'Location: /env.py/from/local?a=b\n\n'
