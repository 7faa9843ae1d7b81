"""compat.temporary: a file without a name, where the machine keeps such files."""

import gc
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from cgikit.compat.temporary import temporary_file


def test_bytes_and_text_are_read_back() -> None:
    with temporary_file() as file:
        file.write(b"a\r\n\xff")
        file.seek(0)
        assert file.read() == b"a\r\n\xff"
        assert os.fstat(file.fileno()).st_nlink == 0
    with temporary_file("utf-8") as file:
        file.write("ü\r\n")
        file.seek(0)
        assert file.read() == "ü\r\n"


def test_it_is_where_tempfile_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_file() as file:
        assert os.readlink(f"/proc/self/fd/{file.fileno()}").startswith(f"{tmp_path}/")


@pytest.mark.parametrize("exists", [True, False])
def test_it_is_in_tmpdir_or_wherever_there_is_room(exists: bool, tmp_path: Path) -> None:
    source = """
import os, sys
from cgikit.compat.temporary import temporary_file
file = temporary_file()
print(os.readlink(f"/proc/self/fd/{file.fileno()}"), "tempfile" in sys.modules)
"""
    directory = tmp_path if exists else tmp_path / "none"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"TMPDIR": str(directory)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.startswith(f"{tmp_path}/") is exists
    assert done.stdout.endswith(f" {not exists}\n")


def test_a_full_disk_is_said_with_its_directory(tmp_path: Path) -> None:
    """It was "No space left on device", and nobody knew where."""
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from io import BytesIO\nfrom cgikit.compat import cgi, reading\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))\n"
        "body = b'--x\\r\\nContent-Disposition: form-data; name=u; filename=n\\r\\n\\r\\n'\n"
        "body += b'a' * 1_000_000 + b'\\r\\n--x--\\r\\n'\n"
        "environ = {'REQUEST_METHOD': 'POST', 'CONTENT_TYPE': 'multipart/form-data; boundary=x',\n"
        " 'CONTENT_LENGTH': str(len(body))}\n"
        "try: cgi.FieldStorage(BytesIO(body), environ=environ)\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (f"[Errno 27] File too large: '{tmp_path}'\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", [None, "utf-8"])
def test_nobody_is_warned_of_one_that_is_let_go_of(encoding: str | None) -> None:
    file = temporary_file(encoding)
    number = file.fileno()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del file
        gc.collect()
    with pytest.raises(OSError):
        os.fstat(number)
