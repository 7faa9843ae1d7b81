import collections

RING = collections.deque(["first", "middle", "last"])
