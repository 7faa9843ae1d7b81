class Customer:
    __slots__ = ("name",)


CUSTOMER = Customer()
