#!/bin/sh
printf 'HTTP/1.1 202 Fine\r\nContent-Type: text/plain\r\nX-Made-By: nph\r\n\r\nraw\n'
