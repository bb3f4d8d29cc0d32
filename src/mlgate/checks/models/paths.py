"""Names inside files, and whether they lead out of the folder that they belong in."""

import re

_DRIVE = re.compile(r"[A-Za-z]:")


def escape(name: str) -> str | None:
    """Say how a name leaves the folder that it is resolved in, or return None.

    Returns:
        ``absolute``, ``drive``, ``parent`` or ``nul``.
    """
    if "\0" in name:
        return "nul"
    if name.startswith(("/", "\\")):
        return "absolute"
    if _DRIVE.match(name):
        return "drive"
    return "parent" if _climbs(name) else None


def link_escapes(name: str, target: str) -> bool:
    """Say whether a link at ``name`` that points to ``target`` leaves the archive's folder."""
    if target.startswith(("/", "\\")) or _DRIVE.match(target) or "\0" in target:
        return True
    folder = name.replace("\\", "/").rstrip("/").rpartition("/")[0]
    return _climbs(f"{folder}/{target}" if folder else target)


def _climbs(name: str) -> bool:
    """Say whether the path is above its start at any point."""
    level = 0
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            level -= 1
        elif part not in ("", "."):
            level += 1
        if level < 0:
            return True
    return False
