"""Plugins and settings of the whole test suite; fixtures live with what they are about."""

import os
import sys
from collections.abc import Iterator

import pytest
import startstate
from hypothesis import HealthCheck, settings
from torture import TORTURE

startstate.begin()

pytest_plugins = ["requirement", "servers.fixtures"]


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: much of a test's time is spent waiting."""
    return (os.cpu_count() or 1) + 1


# Neither a deadline nor a complaint that examples are slow to come: both tell how busy the machine is.
# The same examples each time, so that no run fails for what it has drawn; a long one draws others.
settings.register_profile(
    "cgikit",
    deadline=None,
    derandomize=not TORTURE,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("cgikit")


@pytest.fixture(autouse=True)
def _start_directory() -> Iterator[None]:
    """Let each test begin where it is, as a process of its own would: `process.start_directory`."""
    vars(sys.modules["__main__"]).pop("_cgikit_start", None)
    yield
    vars(sys.modules["__main__"]).pop("_cgikit_start", None)
