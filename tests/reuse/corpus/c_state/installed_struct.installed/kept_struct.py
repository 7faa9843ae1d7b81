import struct

FORMAT = struct.Struct("<i")
