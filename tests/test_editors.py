"""What editors know of the public names, through jedi: it reads the source and never imports it."""

import jedi  # type: ignore[import-untyped]
import pytest
from house import ROOT

import cgikit
from cgikit import _MODULE_OF

PROJECT = jedi.Project(ROOT)


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
