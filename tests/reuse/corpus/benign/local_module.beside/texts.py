GREETING = "Good day"


def greet(name):
    return f"{GREETING}, {name}"
