"""A counter by hand: flock, read, write a new file, rename it over the old one."""

import fcntl
import os

with open("data/count.dat.lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open("data/count.dat") as old:
        count = int(old.read()) + 1
    with open("data/count.dat.new", "w") as new:
        new.write(f"{count}\n")
    os.replace("data/count.dat.new", "data/count.dat")

print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>You are visitor number <b>{count:06}</b></p>")
