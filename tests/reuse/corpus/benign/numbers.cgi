#!/usr/bin/env python3
# why: Exact and other numbers, in a context of their own.
# first: GET /?1.10
# second: GET /?7
import decimal
import fractions
import math
import os
import statistics

number = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with decimal.localcontext() as context:
    context.prec = 6
    print(decimal.Decimal(number) / 3)
print(fractions.Fraction(number), math.sqrt(float(number)), statistics.mean([1, float(number)]))
