"""`cgikit scgi ROOT`: a tree of scripts for a web server that speaks SCGI."""

import argparse

from .gatewaycommand import add_command


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    add_command(commands, "scgi")
