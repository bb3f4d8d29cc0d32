"""The schema of a skops archive: a tree of nodes, each of which names what makes an object of it."""

from collections.abc import Iterator

from mlgate.checks.models import json_members
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "skops-schema"
KIND = "text"
ORDER = 60

_KEYS = {"__loader__": "loader", "__module__": "module", "__class__": "class"}
_OWNER = ("content", "obj")
_METHOD = ("content", "func")
_Path = tuple[str | int, ...]
_Seen = dict[str, list[str]]


def sniff(blob: Blob) -> bool:
    """Go by the name inside an archive, which is the one that skops looks for."""
    needed = blob.container == "skops"
    return bool(blob.container) and blob.name == "schema.json" and (needed or b"{" in blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each combination of loader and name once, with the line where it first stands.

    Raises:
        Declined: It is the schema of something else.
        LimitReached: It is too long, or nested too deep.
    """
    needed = blob.container == "skops"
    try:
        text = read_text(blob, limits)
    except Declined:
        if not needed:
            raise
        text = ""
    known: set[tuple[str, ...]] = set()
    try:
        for loader, module, name, method, owner, offset in _nodes(text, clock):
            key = (loader, module, name, method, owner)
            if key in known:
                continue
            known.add(key)
            clock.spend("facts", 1, limits.facts)
            yield blob.fact(
                "skops.node",
                printable(f"{module}.{name}"),
                line=text.count("\n", 0, offset) + 1,
                loader=printable(loader, 60),
                module=printable(module),
                name=printable(name),
                method=printable(method, 100),
                owner=printable(owner),
            )
    except json_members.Malformed:
        if known or needed:
            yield blob.not_checked(
                "malformed", "this schema is no JSON document; write the archive again with skops"
            )
            return
    if not known:
        raise Declined


def _nodes(text: str, clock: Clock) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Yield loader, module, class, method, the class that the method is of, and the offset.

    Of a key that stands twice, every value counts.
    """
    # The nodes around the current member, outermost first.
    stack: list[tuple[_Path, _Seen, int]] = []
    try:
        for member in json_members.members(text, clock):
            while stack and member.path[: len(stack[-1][0])] != stack[-1][0]:
                yield from _closed(stack)
            if member.path and isinstance(member.value, str):
                _noted(stack, member.path, member.value, member.offset)
    except json_members.Malformed:
        while stack:
            yield from _closed(stack)
        raise
    while stack:
        yield from _closed(stack)


def _noted(stack: list[tuple[_Path, _Seen, int]], path: _Path, value: str, offset: int) -> None:
    """Keep what a member says of the node that it belongs to."""
    field, place = _KEYS.get(str(path[-1])), path[:-1]
    if field is None and path[-2:] == _METHOD:
        field, place = "method", path[:-2]
    if field is None:
        return
    if not stack or stack[-1][0] != place:
        at = next((number for number, each in enumerate(stack) if each[0] == place), len(stack))
        if at == len(stack):
            stack.append((place, {}, offset))
    else:
        at = len(stack) - 1
    values = stack[at][1].setdefault(field, [])
    if value not in values and len(values) < 4:
        values.append(value)


def _closed(stack: list[tuple[_Path, _Seen, int]]) -> Iterator[tuple[str, str, str, str, str, int]]:
    place, seen, offset = stack.pop()
    owners = seen.get("owner", [""])
    if "loader" in seen or ("module" in seen and "class" in seen):
        for loader in seen.get("loader", [""]):
            for module in seen.get("module", [""]):
                for name in seen.get("class", [""]):
                    for method in seen.get("method", [""]):
                        for owner in owners:
                            yield loader, module, name, method, owner, offset
        outer = next((each for each in stack if each[0] == place[:-2]), None)
        if place[-2:] == _OWNER and outer is not None:
            mine = [
                f"{module}.{name}" for module in seen.get("module", [""]) for name in seen.get("class", [""])
            ]
            outer[1].setdefault("owner", []).extend(mine[:4])
