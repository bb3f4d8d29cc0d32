"""Install the hook for plain git, where git looks for it."""

import os
import shlex
import sys
from pathlib import Path

from mlgate.git import Git, GitError

_TEXT = Path(__file__).with_name("pre-commit.sh")
_PLACE = "installed=\n"


class HookError(Exception):
    """The hook cannot be installed. The text says why, and what to do next."""


def install(root: Path, *, force: bool = False) -> Path:
    """Put the pre-commit hook into the hooks folder of the checkout that ``root`` lies in.

    The folder is the one that git uses: ``core.hooksPath`` and worktrees are respected.

    Args:
        root: A folder inside the checkout.
        force: True replaces another hook, and installs into a folder outside the checkout.

    Returns:
        Where the hook is.

    Raises:
        HookError: There is no checkout, another hook is there, or the folder serves other
            repositories too.
    """
    root = root.resolve()
    try:
        git = Git.at(root)
        if git is None:
            raise HookError(f"{root} is in no git checkout; start one with `git init`")
        folder, places = git.hooks_folder()
    except GitError as error:
        raise HookError(str(error)) from error
    store, tree = places
    outside = not (folder.is_relative_to(store) or folder.is_relative_to(tree))
    if outside and not force:
        raise HookError(
            f"core.hooksPath is {folder}, outside this repository: a hook there would run in others too; "
            "--force installs it all the same"
        )
    # What is committed with the repository must not name a place of this machine.
    text = text_for(program()) if folder.is_relative_to(store) else text_for(None)
    place = folder / "pre-commit"
    if os.path.lexists(place) and not force and not _is_ours(place):
        raise HookError(
            f"there is another hook at {place}; add `mlgate check --staged --offline --quiet` to it, "
            "or replace it with --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A link is replaced, not written through.
        place.unlink(missing_ok=True)
        place.write_text(text, encoding="utf-8", errors="surrogateescape")
        place.chmod(0o755)
    except OSError as error:
        raise HookError(f"cannot write {place}: {error.strerror or error}") from error
    return place


def text_for(program: Path | None) -> str:
    """Return the hook's text, for a program that may not be on PATH when git runs it."""
    text = _TEXT.read_text(encoding="utf-8")
    return text if program is None else text.replace(_PLACE, f"installed={shlex.quote(str(program))}\n", 1)


def program() -> Path | None:
    """Return the mlgate of this environment, or None where it has none."""
    place = Path(sys.executable).with_name("mlgate")
    return place if place.is_file() else None


def _is_ours(place: Path) -> bool:
    """Say whether a hook is this one, whatever program it names."""
    try:
        lines = place.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    ours = text_for(None).splitlines()
    return not place.is_symlink() and [line for line in lines if not line.startswith("installed=")] == [
        line for line in ours if not line.startswith("installed=")
    ]
