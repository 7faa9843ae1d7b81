"""The option `--compat`: scripts that import `cgi` or `cgitb` find cgikit's, where Python has none.

It puts `cgikit/compat/onpath` on the PYTHONPATH of every script, warm or started cold; what is there
decides which module an interpreter gets. Nothing of `compat` is imported here.
"""

import argparse

from ..host.environ import with_old_modules

#: What a warm interpreter imports in advance then, by the names that scripts use.
PRELOADED = ("cgi", "cgitb")


def add_to(parser: "argparse._ActionsContainer", default: bool | None = False) -> None:
    """Add the option to a command that runs scripts; `default` is its value if it is not given."""
    parser.add_argument(
        "--compat",
        action="store_true",
        default=default,
        help="give scripts cgikit's cgi and cgitb, where Python has none (3.13 and later)",
    )


def on_path(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of scripts with the directory on its PYTHONPATH, before what is there."""
    return with_old_modules(environment)
