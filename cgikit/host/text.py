"""The former name of `native.py`, where front ends may still import `native` from."""

from .native import native as native
