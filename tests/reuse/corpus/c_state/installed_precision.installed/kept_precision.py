import decimal

CONTEXT = decimal.Context(prec=5)
