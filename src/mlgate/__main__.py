"""Run the command line as ``python -m mlgate``."""

import sys

from mlgate.cli import main

if __name__ == "__main__":
    sys.exit(main())
