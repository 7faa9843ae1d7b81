import functools
import os


class Customer:
    @functools.cached_property
    def name(self):
        return os.environ["QUERY_STRING"]


CUSTOMER = Customer()
