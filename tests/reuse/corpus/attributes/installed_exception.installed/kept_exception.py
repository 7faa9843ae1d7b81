NOT_FOUND = LookupError("no such tree")
