"""What editors know of the public names, through jedi: it reads the source and never imports it."""

from collections.abc import Iterator

import jedi  # type: ignore[import-untyped]
import pytest
from house import ROOT

import cgikit
from cgikit import _MODULE_OF

PROJECT = jedi.Project(ROOT)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give jedi a cache of its own: in its usual one, in the home of the user, a process may read what
    another one has only half written.
    """
    with pytest.MonkeyPatch.context() as patched:
        place = str(tmp_path_factory.mktemp("jedi"))
        patched.setattr(jedi.settings, "cache_directory", place)
        yield


@pytest.mark.parametrize("name", cgikit.__all__)
def test_jedi_completes_a_public_name_and_leads_to_it(name: str) -> None:
    source = f"from cgikit import {name}"
    begun = jedi.Script(source[:-1], project=PROJECT)
    assert name in {each.name for each in begun.complete()}
    (found,) = jedi.Script(source, project=PROJECT).goto(1, len(source), follow_imports=True)
    assert found.module_name == f"cgikit.{_MODULE_OF[name]}"
    assert found.line > 1


def test_jedi_knows_what_a_request_has() -> None:
    source = "from cgikit import Request\ndef page(request: Request):\n    request.for"
    assert "form" in {each.name for each in jedi.Script(source, project=PROJECT).complete()}
