"""`python -m bythebook` is the command `bythebook`."""

from __future__ import annotations

import sys

from bythebook.cli import main

if __name__ == "__main__":
    sys.exit(main())
