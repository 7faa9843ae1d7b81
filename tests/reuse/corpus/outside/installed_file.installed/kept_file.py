import tempfile

FILE = tempfile.TemporaryFile()
FILE.write(b"the firstthe second")
FILE.seek(0)
