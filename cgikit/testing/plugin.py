"""The plugin of pytest: the fixture `cgi_client`. pytest loads it by its entry point.

It imports nothing but pytest, which is there, until a test asks for the fixture.
"""

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .client import Client


@pytest.fixture
def cgi_client() -> "Iterator[Callable[..., Client]]":
    """Make clients: `cgi_client(handler_or_path, …)` takes what `cgikit.testing.Client` takes, and all
    are closed at the end of the test.
    """
    from contextlib import ExitStack

    from .client import Client

    # Closes all of them, even if closing one raises an error
    with ExitStack() as closing:

        def make(*arguments: object, **options: object) -> Client:
            client = Client(*arguments, **options)  # type: ignore[arg-type]
            closing.callback(client.close)
            return client

        yield make
