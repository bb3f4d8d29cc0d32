"""Where advisories are kept between runs: a folder that is the user's alone.

What is judged must not bring its own advisories along, so a cache folder inside the
repository is not used, nor one that another user may write to.
"""

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_NAME = "mlgate"
_STALE_SECONDS = 86_400


def folder(root: Path) -> Path | None:
    """Return the cache folder, made if need be; None where there is none that can be trusted.

    ``$XDG_CACHE_HOME/mlgate``, or ``~/.cache/mlgate`` (XDG base directory specification:
    a relative path there is ignored).

    Args:
        root: Root of what is judged.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if not base.is_absolute():
            base = Path.home() / ".cache"
        if not base.is_absolute():
            return None
        wanted = (base / _NAME).resolve()
        if wanted.is_relative_to(_repository(root.resolve())):
            return None
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = wanted.lstat()
    except (OSError, RuntimeError, ValueError):
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    return wanted if private else None


def _repository(root: Path) -> Path:
    """Return the repository that ``root`` belongs to, or ``root`` itself."""
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), root)


@contextlib.contextmanager
def draft(place: Path, suffix: str) -> Iterator[Path]:
    """Make an empty private file beside where it shall stand; it goes where it was not renamed.

    Raises:
        OSError: The folder cannot be written to.
    """
    import tempfile  # noqa: PLC0415 - start-up time

    handle, name = tempfile.mkstemp(suffix=suffix, prefix=".draft-", dir=place)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    with draft(path.parent, ".json") as fresh:
        fresh.write_bytes(data)
        fresh.replace(path)


def prune(place: Path, suffix: str, keep: int) -> None:
    """Remove all but the files used last, and drafts that a killed run left."""
    with contextlib.suppress(OSError):
        files = [path for path in place.iterdir() if path.name.endswith(suffix)]
        drafts = [path for path in place.iterdir() if path.name.startswith(".draft-")]
        ages = {path: path.stat().st_mtime for path in (*files, *drafts)}
        done = [path for path in files if not path.name.startswith(".draft-")]
        old = sorted(done, key=lambda path: ages[path], reverse=True)[keep:]
        old += [path for path in drafts if ages[path] < time.time() - _STALE_SECONDS]
        for path in old:
            path.unlink(missing_ok=True)


def touch(path: Path) -> None:
    """Remember that a file was used."""
    with contextlib.suppress(OSError):
        os.utime(path)


def private(path: Path) -> BinaryIO:
    """Open a cached file that is the user's own.

    Raises:
        OSError: It cannot be opened, is a link, or belongs to somebody else.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        os.close(handle)
        raise PermissionError(f"{path.name} is not the user's own file")
    return os.fdopen(handle, "rb")
