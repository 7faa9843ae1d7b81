"""URL paths: R34, R50 (dot segments, slashes, NUL, encoded slashes), links, hidden files, modes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit import vendoring
from cgikit.host.path import Directory, Script, locate, segments, split_target, url_path
from cgikit.host.problem import Problem


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    for name in ("a.py", "sub/b.py", "sub/deep/c d.py", ".hidden.py", "über.py"):
        script(root / name)
    (root / "off.py").write_text("#!/bin/sh\n")
    script(tmp_path / "outside.py")
    return root


def script(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("path", "name", "info"),
    [
        ("/a.py", "/a.py", ""),
        ("/a.py/", "/a.py", "/"),
        ("/a.py/x/Y%20z/", "/a.py", "/x/Y z/"),
        ("/sub/b.py/c.py", "/sub/b.py", "/c.py"),
        ("/sub/deep/c%20d.py", "/sub/deep/c d.py", ""),
        ("//sub///b.py//x", "/sub/b.py", "/x"),
        ("/./sub/../a.py", "/a.py", ""),
        ("/sub/%2e%2E/a.py", "/a.py", ""),
        ("/a.py/x/../y", "/a.py", "/y"),
        ("/a.py/../sub/b.py", "/sub/b.py", ""),  # R50: resolved before the split
        ("/a.py/..", None, ""),
        ("/%C3%BCber.py/%c3%bc", "/über.py", "/ü"),
        ("/a.py/%FF", "/a.py", "/\udcff"),
        ("/a.py/.hidden", "/a.py", "/.hidden"),
        ("/a.py/%252F", "/a.py", "/%2F"),
    ],
)
def test_script_name_and_path_info(root: Path, path: str, name: str | None, info: str) -> None:
    found = locate(str(root), path)
    if name is None:
        assert found == Directory(str(root), "/", True)
    else:
        assert found == Script(str(root) + name, name, info)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/missing.py", 404),
        ("/a.pyx", 404),
        ("/sub/missing/x", 404),
        ("/.hidden.py", 404),
        ("/sub/.hidden/x", 404),
        ("/a.py%2Fx", 404),
        ("/sub%2fb.py", 404),
        ("/off.py", 403),
        ("/a.py%00", 400),
        ("/a.py/%00", 400),
        ("/../a.py", 400),
        ("/sub/../../root/a.py", 400),
        ("/%2e%2e/outside.py", 400),
        ("/a.py/../../outside.py", 400),
        ("/a.py/%zz", 400),
        ("/%", 400),
        ("/" + "x" * 300, 404),
        ("/" + "x/" * 3000, 404),
        ("*", 400),
        ("", 400),
    ],
)
def test_refused(root: Path, path: str, status: int) -> None:
    with pytest.raises(Problem) as caught:
        locate(str(root), path)
    assert caught.value.status == status


def test_not_executable_says_what_to_do(root: Path) -> None:
    with pytest.raises(Problem) as caught:
        locate(str(root), "/off.py/x")
    assert (caught.value.what, caught.value.fix) == (
        "off.py is not executable.",
        f"chmod +x {root}/off.py",
    )


def test_links_that_stay_inside_work_and_links_that_leave_do_not(root: Path) -> None:
    (root / "inner.py").symlink_to("sub/b.py")
    (root / "out.py").symlink_to(root.parent / "outside.py")
    (root / "up").symlink_to("..")
    (root / "circle").symlink_to("circle")
    assert locate(str(root), "/inner.py") == Script(f"{root}/inner.py", "/inner.py")
    for path in ("/out.py", "/up/outside.py", "/up/", "/up", "/circle"):
        with pytest.raises(Problem) as caught:
            locate(str(root), path)
        assert caught.value.status == 404, path


def test_a_sibling_whose_name_begins_like_the_root_is_outside(root: Path) -> None:
    script(Path(f"{root}2.py"))
    (root / "twin.py").symlink_to(f"{root}2.py")
    with pytest.raises(Problem, match="symbolic link"):
        locate(str(root), "/twin.py")


def test_a_root_that_is_itself_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert locate(str(tmp_path / "link"), "/a.py") == Script(f"{root}/a.py", "/a.py")


def test_a_fifo_is_not_run(root: Path) -> None:
    os.mkfifo(root / "pipe", 0o777)
    with pytest.raises(Problem, match="not a regular file"):
        locate(str(root), "/pipe")


def test_directories(root: Path) -> None:
    assert locate(str(root), "/") == Directory(str(root), "/", True)
    assert locate(str(root), "/sub") == Directory(f"{root}/sub", "/sub/", False)
    assert locate(str(root), "/sub/deep/") == Directory(f"{root}/sub/deep", "/sub/deep/", True)


@pytest.mark.parametrize(
    ("target", "split"),
    [
        ("/a?b?c", ("/a", "b?c")),
        ("/a", ("/a", "")),
        ("//h/a?x", ("//h/a", "x")),
        ("http://h:80/a?x", ("/a", "x")),
        ("HTTPS://h?x", ("/", "x")),
        ("/a#f?x", ("/a", "")),
    ],
)
def test_targets(target: str, split: tuple[str, str]) -> None:
    assert split_target(target) == split


@pytest.mark.parametrize("target", ["*", "host:443", "", "?x"])
def test_targets_without_a_path(target: str) -> None:
    with pytest.raises(Problem):
        split_target(target)


names = st.text(st.characters(blacklist_characters="/\0", codec="utf-8"), min_size=1, max_size=8)


@given(st.lists(names.filter(lambda n: n not in (".", "..")), max_size=5), st.booleans())
def test_r29_a_decoded_path_survives_its_url(parts: list[str], slash: bool) -> None:
    path = "/" + "/".join(parts) + ("/" if slash and parts else "")
    assert segments(url_path(path)) == (parts, slash or not parts)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_path_gives_names_or_a_problem(path: str) -> None:
    try:
        found, _ = segments(path)
    except Problem as problem:
        status = problem.status
    else:
        status = 200
        assert not any("/" in name or "\0" in name or name in ("", ".", "..") for name in found)
    assert status in (200, 400, 404)


def test_a_script_that_only_others_may_run_is_not_said_to_have_no_x_bit(root: Path) -> None:
    """Mode 0700 and another user: the advice was chmod +x, which changes nothing."""
    script(root / "private.py").chmod(0o700 if os.geteuid() == 0 else 0o070)
    if os.geteuid() == 0:
        os.setresuid(65_534, -1, -1)  # whose rights `os.access` asks for
    try:
        with pytest.raises(Problem) as caught:
            locate(str(root), "/private.py")
    finally:
        if os.geteuid() == 0:
            os.setresuid(0, -1, -1)
    assert (caught.value.what, caught.value.fix) == (
        "The server's user has no permission to run private.py.",
        f"chmod a+rx {root}/private.py",
    )


@pytest.mark.parametrize("name", ["cgi.py", "cgikit_vendored/cgikit/compat/cgi.py"])
def test_nobody_is_told_to_make_executable_what_vendor_wrote(root: Path, name: str) -> None:
    vendoring.write(str(root), self_contained=True)
    with pytest.raises(Problem) as caught:
        locate(str(root), f"/{name}")
    assert caught.value.status == 403
    assert caught.value.log_text == "cgi.py is a module that cgikit vendor wrote, not a script."
