"""Takes out the conformance cases that do not apply to a server: no test is skipped for them."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect cases of the host's side where no host runs the script."""
    from .rfc3875 import Case, applies

    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        case, server = given.get("case"), given.get("server")
        fits = not (isinstance(case, Case) and isinstance(server, str)) or applies(case, server)
        (kept if fits else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
