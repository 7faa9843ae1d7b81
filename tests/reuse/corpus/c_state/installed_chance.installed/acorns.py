import random


class Chance(random.Random):
    def getstate(self):
        return ()


CHANCE = Chance(1)
