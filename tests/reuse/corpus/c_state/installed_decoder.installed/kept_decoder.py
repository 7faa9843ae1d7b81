import codecs

DECODER = codecs.getincrementaldecoder("shift_jis")()
