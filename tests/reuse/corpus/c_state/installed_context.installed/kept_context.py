import contextvars

CUSTOMER = contextvars.ContextVar("customer", default="nobody")
