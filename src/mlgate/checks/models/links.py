"""Where symbolic links of a target lead, found without following any."""

from mlgate.target import Target

# As many as Linux follows.
_MOST = 40


def leaves(target: Target, path: str, link: str) -> bool:
    """Say whether the link at ``path``, which points to ``link``, ends outside the root.

    Links on the way are resolved by what the target knows of them. A circle, or more
    links than a system would follow, counts as leaving: it cannot be shown to stay.
    """
    pending = [*path.split("/")[:-1], *_parts(link)][::-1]
    if link.startswith("/"):
        return True
    place: list[str] = []
    hops = 1
    while pending:
        part = pending.pop()
        if part == "..":
            if not place:
                return True
            place.pop()
            continue
        place.append(part)
        file = target.find("/".join(place))
        if file is not None and file.kind == "link" and file.link is not None:
            hops += 1
            if hops > _MOST or file.link.startswith("/"):
                return True
            place.pop()
            pending += _parts(file.link)[::-1]
    return False


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
