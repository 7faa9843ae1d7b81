VIEW = memoryview(b"acorns")
