#!/bin/sh
printf 'Set-Cookie: a=b\nLocation: /env.py\n\n'
