def notes():
    text = yield
    before = "nothing"
    while True:
        text, before = (yield before), text


NOTES = notes()
next(NOTES)
