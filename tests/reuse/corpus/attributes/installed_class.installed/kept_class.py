class Basket:
    things = []

    def put(self, thing):
        self.things.append(thing)
