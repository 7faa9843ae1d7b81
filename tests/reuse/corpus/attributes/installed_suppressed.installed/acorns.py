ERROR = LookupError("acorns")
