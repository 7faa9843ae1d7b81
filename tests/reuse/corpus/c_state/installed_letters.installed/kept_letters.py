LETTERS = iter("abcopqr")
