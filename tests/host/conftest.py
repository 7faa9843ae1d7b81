"""Gateways that tests share: starting one takes a third of a second."""

from collections.abc import Iterator

import pytest
from gatewayserving import Gateway, gateway


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs scripts warm, in one worker."""
    with gateway("fastcgi", tmp_path_factory.mktemp("warm"), "--workers", "1") as server:
        yield server


@pytest.fixture(scope="session")
def cold(warm: Gateway) -> Iterator[Gateway]:
    """A gateway over the same scripts that starts an interpreter for each request."""
    with gateway("fastcgi", warm.root, "--workers", "1", "--spawn") as server:
        yield server
