"""The life of one request, step by step: measured, and shown as text or as trace events.

docs/reference/trace.md says how each number is taken. Nothing here is loaded by a script.
"""
