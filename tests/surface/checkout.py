"""Repositories as the tests of the Action and of the hooks need them."""

import pickle
import subprocess
from pathlib import Path

EVIL = b"cos\nsystem\n(S'echo harmless'\ntR."
CLEAN = pickle.dumps({"weights": [1.0, 2.0]})
_NOBODY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *_NOBODY, "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")
