"""How a daemon is started: the command that fronts and predecessors run."""

import os
import sys

#: What the interpreter runs. Its first argument is PACKAGE: the only cgikit on its path is this one.
CODE = (
    "import sys; sys.path[0] = sys.argv.pop(1); from cgikit.accelerate.daemon import main; "
    "sys.exit(main())"
)
#: What this interpreter was started with, as the first line of a bundled script has it.
OPTIONS = ["-IS"] if sys.flags.isolated and sys.flags.no_site else []
PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
