def book():
    before = ""

    def note(text):
        nonlocal before
        text, before = before, text
        return text

    return note


note = book()
