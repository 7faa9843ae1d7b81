import array

NUMBERS = array.array("i", [1, 2, 3])
