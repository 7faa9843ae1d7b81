"""A site whose scripts have fronts, for each kind of front."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from accelerating import Site
from servers.fixtures import fresh, readable_by_all
from servers.interpreter import Interpreter

_NUMBERS = itertools.count()


@pytest.fixture
def site(readable_directory: Path, script_interpreter: Interpreter) -> Iterator[Site]:
    """An empty site; its daemon is ended by its process id."""
    with readable_by_all():
        made = Site(fresh(readable_directory, f"a{next(_NUMBERS)}"), script_interpreter.python)
    yield made
    made.stop()


@pytest.fixture(params=["perl", "python"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of front."""
    value: str = request.param
    return value
