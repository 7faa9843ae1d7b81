#!/bin/sh
printf 'X-Thing: 1\n\nbody'
