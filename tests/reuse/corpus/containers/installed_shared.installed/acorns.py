LEFT: list[str] = []
RIGHT: list[str] = []
