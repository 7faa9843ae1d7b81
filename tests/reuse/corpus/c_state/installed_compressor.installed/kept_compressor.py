import zlib

COMPRESSOR = zlib.compressobj(wbits=-15)
