BUFFER = memoryview(bytearray(16))
