import random

RANDOM = random.Random(7)
