"""`python -m cgikit` is the command `cgikit`."""

from .cli import main

raise SystemExit(main())
