"""The option `--compat`: scripts that import `cgi` or `cgitb` find cgikit's, where Python has none.

It puts `cgikit/compat/onpath` on the PYTHONPATH of every script, warm or started cold; what is there
decides which module an interpreter gets. Nothing of `compat` is imported here.
"""

import argparse
import os
from pathlib import Path

#: What a warm interpreter imports in advance then, by the names that scripts use.
PRELOADED = ("cgi", "cgitb")
_ONPATH = str(Path(__file__).resolve().parent.parent / "compat" / "onpath")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command that runs scripts."""
    parser.add_argument(
        "--compat",
        action="store_true",
        help="give scripts cgikit's cgi and cgitb, where Python has none (3.13 and later)",
    )


def on_path(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of scripts with the directory on its PYTHONPATH, before what is there."""
    places = [_ONPATH, *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(places)}
