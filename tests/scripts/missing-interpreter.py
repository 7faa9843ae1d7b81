#!/usr/bin/pyton3
print("never")
