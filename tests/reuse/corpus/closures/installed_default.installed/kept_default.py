def put(thing, things=[]):
    if thing:
        things.append(thing)
    return things
