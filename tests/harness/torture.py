"""How large the tests of reliability are: small in every run, large under CGIKIT_TORTURE=1.

The same tests run in both; only these numbers differ, and the examples of property tests: the same ones
in every run, others in each large one.
"""

import os

TORTURE = os.environ.get("CGIKIT_TORTURE") == "1"

#: Name to size: in every run, and when there is an hour or more.
SIZES = {
    "increments, hot": (100_000, 10_000_000),
    "increments, renamed": (3_200, 1_000_000),
    "increments, durable": (2_560, 50_000),
    "increments, hot and durable": (2_560, 50_000),
    "kills": (3_000, 100_000),
    "swaps of links": (5_000, 100_000),
    "replaced lock files": (4_000, 100_000),
    "changes of one session": (10_000, 250_000),  # in each kind of store
    "kills of requests": (300, 10_000),
    "swaps of links under sessions": (5_000, 100_000),
    "errors through strace": (1, 8),
    "hostile connections": (200, 20_000),  # to a persistent script, and to each gateway
    "hostile bytes": (100, 20_000),  # on each codec of the gateway
    "requests of a soak": (600, 200_000),  # to one gateway
}


def size(name: str) -> int:
    """How much of `name` this run does."""
    return SIZES[name][TORTURE]
