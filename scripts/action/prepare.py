"""Make the folder of this run's reports, and say under which keys the action's caches lie.

A job may use the action twice: no run finds the reports of another.

Wheels are cached under the digest of the lock file: it names the SHA-256 of each of them, and
pip refuses any other, so that nobody who can write to a cache chooses what judges the change.
"""

# ruff: noqa: INP001 - a script beside the others

import datetime as dt
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import workflow

_OLDEST = (3, 11)
LOCK = Path(__file__).with_name("requirements.txt")


def main() -> int:
    """Set ``reports``, ``wheels`` and ``day`` as outputs; return 0, or 2 where mlgate cannot run."""
    version = "{}.{}".format(*sys.version_info)
    system = os.environ.get("RUNNER_OS", "")
    if tuple(sys.version_info) < _OLDEST or system == "Windows":
        here = f"{system} with Python {version}".strip()
        workflow.command(
            "error", f"mlgate needs Linux or macOS, and Python 3.11 or newer; this is {here}", title="mlgate"
        )
        return 2
    workflow.outputs(
        {
            "reports": tempfile.mkdtemp(prefix="mlgate-reports-", dir=os.environ["RUNNER_TEMP"]),
            "wheels": f"{version}-{digest(LOCK)[:16]}",
            "day": dt.datetime.now(dt.UTC).date().isoformat(),
        }
    )
    return 0


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
