class Settings:
    _shared = {}

    def __init__(self):
        self.__dict__ = self._shared
