"""How a daemon is started: the command that fronts and predecessors run."""

import os

#: What the interpreter runs. Its first argument is PACKAGE: the only cgikit on its path is this one.
CODE = (
    "import sys; sys.path[0] = sys.argv.pop(1); from cgikit.accelerate.daemon import main; "
    "sys.exit(main())"
)
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
