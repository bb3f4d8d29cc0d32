"""Run the command line as ``python -m mlgate``."""

import sys

if not sys.flags.safe_path:
    # The current folder, which Python looks in first here: often the very repository that is judged.
    sys.path.pop(0)

from mlgate.cli import main

if __name__ == "__main__":
    sys.exit(main())
