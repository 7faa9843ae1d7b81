ERROR = UnicodeDecodeError("ascii", b"0123456789", 1, 2, "no reason")
