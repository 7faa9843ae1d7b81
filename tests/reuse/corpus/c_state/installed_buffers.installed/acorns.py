BY_NAME = {"last": bytearray(b"nobody")}
IN_ROW = (bytearray(b"nobody"),)
