import pyexpat

PARSER = pyexpat.ParserCreate()
