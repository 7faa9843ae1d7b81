class Hiding(dict):
    def __iter__(self):
        return iter(("visitors",))


HIDING = Hiding(nobody=True)
