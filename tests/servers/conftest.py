"""The WSGI servers for tests of several modules: each is started once a run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .fixtures import copy_scripts, fresh, readable_by_all
from .interpreter import Interpreter, server_user
from .server import Server
from .wsgi_servers import OWN_USER, WSGI_SERVERS, wsgi_server


@pytest.fixture(scope="session", params=WSGI_SERVERS)
def under_wsgi(request: pytest.FixtureRequest, readable_directory: Path) -> Iterator[Server]:
    """Each WSGI server in turn, over a copy of the examples and of the tests' own scripts."""
    name = request.param

    def interpreter() -> Interpreter:
        made: Interpreter = request.getfixturevalue("script_interpreter")
        return made

    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root = fresh(readable_directory, f"wsgi-{name}")
            scripts = copy_scripts(root, user=None if name in OWN_USER else server_user())
            started = wsgi_server(name, root, scripts, interpreter)
            running = stack.enter_context(started)
        yield running
