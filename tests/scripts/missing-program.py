#!/usr/bin/env pyton3
print("never")
