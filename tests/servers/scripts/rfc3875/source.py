#!/usr/bin/env python3
"""Has no permission to run. Nobody shall read it either."""

print("Content-Type: text/plain\n\nsecret_of_the_source ran")
