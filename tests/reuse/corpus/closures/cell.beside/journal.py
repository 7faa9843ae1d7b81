def make():
    value = "nothing"

    def name():
        return value

    return name


name = make()
