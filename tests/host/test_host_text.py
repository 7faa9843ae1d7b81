"""`cgikit.host.text` is the former name of `cgikit.host.native`."""

from cgikit.host import native, text


def test_a_front_end_that_imports_from_the_former_name_still_works() -> None:
    assert text.native is native.native
