import itertools

WORDS = itertools.cycle(("first", "second", "third", "fourth", "fifth"))
