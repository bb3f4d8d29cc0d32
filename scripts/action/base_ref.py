"""Find the base of a pull request, and judge by the base's policy."""

# ruff: noqa: INP001, S603 - a script beside the others, and git with a list of arguments

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import yaml

# A repository's configuration can name programs; none of them runs here.
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_CHAIN = 5


class BaseError(Exception):
    """The base is unknown, or its policy cannot be used."""


def resolve(root: Path, ref: str) -> str:
    """Return the commit that ``ref`` names, fetched from ``origin`` where it is not here.

    Raises:
        BaseError: It is no branch, tag or commit, or it cannot be fetched.
    """
    if ref.startswith("-") or _git(root, "check-ref-format", "--allow-onelevel", ref) is None:
        raise BaseError(f"base-ref {ref!r} is not the name of a branch, a tag or a commit")
    commit = _commit(root, f"origin/{ref}") or _commit(root, ref)
    if commit is None:
        fetched = _git(root, "fetch", "--quiet", "--no-tags", "--depth=1", "--", "origin", ref)
        commit = None if fetched is None else _commit(root, "FETCH_HEAD")
    if commit is None:
        raise BaseError(
            f"base-ref {ref!r} is not in this checkout and cannot be fetched; "
            "give actions/checkout `fetch-depth: 0`"
        )
    return commit


@contextlib.contextmanager
def policy_of(root: Path, commit: str, policy: str) -> Iterator[bool]:
    """Put the policy of ``commit``, and all that it extends, in the place of the checkout's.

    Yields whether the commit has that policy. The checkout is as it was afterwards.

    Raises:
        BaseError: The policy lies outside the root or behind a link, or git cannot read it.
    """
    kept: dict[Path, bytes | None] = {}
    try:
        name: str | None = policy
        while name is not None and len(kept) < _CHAIN:
            place = _inside(root, name)
            content = _content(root, commit, place.relative_to(root).as_posix())
            if content is None:
                if kept:
                    raise BaseError(f"the base's policy extends {name}, which the base does not have")
                break
            kept.setdefault(place, place.read_bytes() if place.is_file() else None)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            name = _extends(content, name)
        yield bool(kept)
    except OSError as error:
        raise BaseError(f"the base's policy cannot be put in place: {error}") from error
    finally:
        for place, content in kept.items():
            if content is None:
                place.unlink(missing_ok=True)
            else:
                place.write_bytes(content)


def _content(root: Path, commit: str, path: str) -> bytes | None:
    """Content of a file of ``commit``; None where the commit has no such file."""
    listed = _git(root, "ls-tree", "-z", commit, "--", f"./{path}")
    content = _git(root, "cat-file", "blob", f"{commit}:./{path}") if listed else None
    if listed is None or (listed and content is None):
        raise BaseError(f"git cannot read {path} at the base")
    return content


def _extends(content: bytes, name: str) -> str | None:
    try:
        data = yaml.safe_load(content)
    except yaml.YAMLError:
        return None  # the gate itself says what is wrong with it, and where
    base = data.get("extends") if isinstance(data, dict) else None
    return (PurePosixPath(name).parent / base).as_posix() if isinstance(base, str) else None


def _inside(root: Path, name: str) -> Path:
    place = root / os.path.normpath(name)
    # A link would let the checkout say which file of the base is read, and where it is written.
    if not place.is_relative_to(root) or ".." in place.parts or place.resolve() != place:
        raise BaseError(f"policy {name!r} is no file inside the working directory, or lies behind a link")
    return place


def _commit(root: Path, ref: str) -> str | None:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return found.decode().strip() if found else None


def _git(root: Path, *arguments: str) -> bytes | None:
    try:
        result = subprocess.run(
            [*_GIT, *arguments], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except (FileNotFoundError, ValueError):
        return None  # no git, or a zero byte in an argument
    return result.stdout if result.returncode == 0 else None
