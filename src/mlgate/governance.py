"""Which policy governs a run, and where it is read: the target, the disk, or the defaults."""

from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from mlgate import rules
from mlgate.core.limits import DEFAULT as LIMITS
from mlgate.policy import load
from mlgate.policy.baseline import Baseline
from mlgate.policy.document import PolicyError
from mlgate.policy.load import PolicyFile
from mlgate.target import Target


def governing(seen: Target, root: Path, named: Path | None = None, *, writing: bool = False) -> PolicyFile:
    """Return the policy of a run, with its baseline.

    Args:
        seen: The files that the run looks at; the policy is read as they are (the index's
            blobs, where what is staged is looked at).
        root: The repository's root, or the folder that paths are relative to.
        named: A policy file; None takes ``.mlgate.yaml`` at the root, if there is one.
        writing: True where the baseline is about to be written: then it need not be there.

    Raises:
        PolicyError: It, or its baseline, is missing or not valid.
    """
    at_root = seen.root == root.resolve()

    def read(path: str) -> bytes | None:
        return _read(seen, path) if at_root else _read_below(root, path)

    loaded = _policy(seen, root, named)
    load.check_rules(loaded, (rule.id for rule in rules.load()))
    path = loaded.policy.baseline
    if writing and isinstance(path, str) and read(path) is None:
        return replace(loaded, baseline=Baseline((), path, sha256(b"").hexdigest()))
    return load.with_baseline(loaded, read)


def shown(path: Path, root: Path) -> str:
    """Return a path as reports show it: relative to the root where it lies below it."""
    resolved = path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else path.as_posix()


def _policy(seen: Target, root: Path, named: Path | None) -> PolicyFile:
    own = root / load.NAME
    if named is not None:
        return load.from_disk(named, shown(named, seen.root))
    if seen.root == root.resolve() and seen.find(load.NAME) is not None:
        return load.load(load.NAME, lambda path: _read(seen, path))
    if own.is_file():
        # Not part of the target: paths outside the root, or a policy not yet staged.
        return load.from_disk(own, shown(own, seen.root))
    return load.DEFAULT


def _read(seen: Target, path: str) -> bytes | None:
    file = seen.find(path)
    if file is None:
        return None
    try:
        with file.open() as stream:
            return stream.read(LIMITS.manifest_bytes + 1)
    except OSError as error:
        raise PolicyError(path, None, f"cannot be read: {error.strerror or error}") from error


def _read_below(root: Path, path: str) -> bytes | None:
    """Read a file of a repository that is not the target: named files lie outside it."""
    place = root / path
    if not place.resolve().is_relative_to(root.resolve()):
        raise PolicyError(path, None, "lies behind a link that leaves the repository")
    try:
        with place.open("rb") as stream:
            return stream.read(LIMITS.manifest_bytes + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PolicyError(path, None, f"cannot be read: {error.strerror or error}") from error
