"""Making bundles for the Python that runs the tests, and requests to the scripts in them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cgikit.bundle.making import Made, make
from cgikit.bundle.target import target
from cgikit.bundle.writing import write


def bundled(source: Path, out: Path, python: str = sys.executable, **options: object) -> Made:
    """Bundle a script or directory for an interpreter that is here."""
    made = make(str(source), target(python), wanted=python, **options)  # type: ignore[arg-type]
    write(made.bundle, str(out))
    return made


@dataclass(frozen=True)
class Answer:
    """What a script has answered."""

    head: str
    body: str
    errors: str
    status: int


def ask(
    script: Path,
    body: bytes = b"",
    *,
    python: str = "",
    user: int | None = None,
    cwd: str = "/",
    **variables: str,
) -> Answer:
    """Run a script as a server does: by its first line, or with `python`, in an environment with
    nothing but the request.
    """
    environ: Mapping[str, str] = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "POST" if body else "GET",
        "SCRIPT_NAME": f"/{script.name}",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        **({"CONTENT_LENGTH": str(len(body))} if body else {}),
        **variables,
    }
    done = subprocess.run(
        [python, "-IS", str(script)] if python else [str(script)],
        input=body,
        capture_output=True,
        env=environ,
        cwd=cwd,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        timeout=60,
    )
    head, _, content = done.stdout.decode().partition("\n\n")
    return Answer(head, content, done.stderr.decode(), done.returncode)


def files(directory: Path) -> dict[str, tuple[bytes, int]]:
    """All files below a directory: content and mode by path."""
    return {
        str(path.relative_to(directory)): (path.read_bytes(), os.stat(path).st_mode)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
