"""The process: ``python -m mlgate``, and the script of that name."""

import gc
import sys

# A run is short and makes next to no cycles, while it holds a hundred thousand objects for the
# modules and tables that it loads: looking through those at every 700th was a fifth of a small scan.
gc.set_threshold(50_000, 20, 20)
if not sys.flags.safe_path:
    # The current folder, which Python looks in first here: often the very repository that is judged.
    sys.path.pop(0)

# msgspec asks for typing_extensions, and takes typing where it is missing, which has all that is used
# here: it brings inspect, ast and tokenize, a fifteenth of a small scan.
alone = "typing_extensions" not in sys.modules
if alone:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
import msgspec  # noqa: E402, F401

if alone:
    del sys.modules["typing_extensions"]

from mlgate.cli import main as run  # noqa: E402 - what stands above is for all that this loads


def main() -> int:
    """Run the command line and return its exit code; argparse may leave with its own."""
    code = run()
    # Nor does what is left need to be looked through on the way out.
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
