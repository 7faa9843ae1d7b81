import queue

QUEUE = queue.SimpleQueue()
