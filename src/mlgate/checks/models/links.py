"""Where symbolic links of a target lead, found without following any."""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter

from mlgate.listing import File
from mlgate.target import Target

# As many as Linux follows.
_MOST = 40


def leaves(target: Target, path: str, link: str) -> bool:
    """Say whether the link at ``path``, which points to ``link``, ends outside the root."""
    return end(target, path, link) is None


def end(target: Target, path: str, link: str) -> str | None:
    """Return where the link at ``path``, which points to ``link``, ends; None where outside the root.

    Links on the way are resolved by what the target knows of them. A circle, or more
    links than a system would follow, counts as leaving: it cannot be shown to stay.
    """
    pending = [*path.split("/")[:-1], *_parts(link)][::-1]
    if link.startswith("/"):
        return None
    place: list[str] = []
    hops = 1
    while pending:
        part = pending.pop()
        if part == "..":
            if not place:
                return None
            place.pop()
            continue
        place.append(part)
        file = target.find("/".join(place))
        if file is not None and file.kind == "link" and file.link is not None:
            hops += 1
            if hops > _MOST or file.link.startswith("/"):
                return None
            place.pop()
            pending += _parts(file.link)[::-1]
    return "/".join(place)


def unseen(target: Target, wanted: Callable[[str], bool], path: str, place: str) -> str | None:
    """Return what the link at ``path``, which ends at ``place``, leads to and the run does not look at.

    None where all of it is looked at under its own name. Where a part of the repository is
    the target, what did not change was looked at before.

    Args:
        target: What the run looks at.
        wanted: Whether the policy wants a path looked at.
        path: Of the link.
        place: See :func:`end`.
    """
    if target.find(place) is not None:
        start = bisect_left(target.files, place, key=attrgetter("path"))
        listed = start < len(target.files) and target.files[start].path == place
        return place if not wanted(place) or (target.whole and not listed) else None
    head = f"{place}/" if place else ""
    below = [file.path for file in _below(target, head)]
    if target.whole and not below:
        return place if (target.root / place).is_dir() else None
    names = [each.removeprefix(head) for each in below]
    # Of a part of the repository not all of the folder's files are known: any name stands for them.
    names += [] if target.whole else ["x"]
    return next((head + name for name in names if wanted(f"{path}/{name}") and not wanted(head + name)), None)


def _below(target: Target, head: str) -> tuple[File, ...]:
    if not head:
        return target.files
    start = bisect_left(target.files, head, key=attrgetter("path"))
    # "0" is the character behind "/".
    return target.files[start : bisect_left(target.files, f"{head[:-1]}0", key=attrgetter("path"))]


def through(target: Target, path: str) -> str | None:
    """Return the first part of ``path`` that is a link which leaves the root, or None."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        prefix = "/".join(parts[:end])
        file = target.find(prefix)
        if file is not None and file.kind == "link" and leaves(target, prefix, file.link or ""):
            return prefix
    return None


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
