BUFFER = bytearray(16)
