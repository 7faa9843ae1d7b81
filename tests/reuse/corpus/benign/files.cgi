#!/usr/bin/env python3
# why: Files that are opened and closed, and a folder that goes again.
# first: GET /?oak7731
# second: GET /?elm
import glob
import os
import pathlib
import shutil
import tempfile

word = os.environ["QUERY_STRING"]
with tempfile.TemporaryDirectory() as name:
    place = pathlib.Path(name)
    (place / "a.txt").write_text(word)
    shutil.copy(place / "a.txt", place / "b.txt")
    found = sorted(os.path.basename(path) for path in glob.glob(f"{name}/*.txt"))
    text = (place / "b.txt").read_text()
print("Content-Type: text/plain\n")
print(found, text)
