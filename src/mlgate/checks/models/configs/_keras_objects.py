"""The objects that a Keras configuration describes, one after the other, from a flat stream of scalars.

An object is complete when the stream has left it. Of two equal keys, which a loader may
take either way, the first and the last value are kept.
"""

from collections.abc import Iterable, Iterator

from mlgate.checks.models.json_members import Malformed, Member, Scalar

Path = tuple[str | int, ...]

# What an object is, and what its class needs to know of its `config`.
_KEYS = frozenset(
    {
        "class_name", "module", "registered_name", "spec_name", "config", "name", "function", "function_type",
        "output_shape", "output_shape_type", "mask", "mask_type", "vocabulary", "merges", "filepath",
        "handle", "node_def",
    }
)  # fmt: skip
# Where Keras keeps code as a list: the code, default values, and what it closes over.
_LISTS = frozenset({"function", "output_shape", "mask"})


class Described:
    """One object of a configuration.

    Attributes:
        path: Where it stands in the document.
        config: What its `config` holds, or None where that is no object.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config: Described | None = None
        self._values: dict[str, list[tuple[Scalar, int]]] = {}

    def note(self, key: str, value: Scalar, offset: int) -> None:
        """Keep the first and the last value of a key."""
        self._values.setdefault(key, [])[1:] = [(value, offset)]

    def texts(self, key: str) -> list[tuple[str, int]]:
        """Return the values of a key that are texts, with their offsets."""
        return [(value, offset) for value, offset in self._values.get(key, ()) if isinstance(value, str)]

    def has(self, key: str) -> bool:
        """Say whether a key is there, with any scalar or, for `config`, any value."""
        return key in self._values or (key == "config" and self.config is not None)

    def merge(self, other: "Described") -> None:
        """Take over what another `config` of the same object holds."""
        for key, values in other._values.items():  # noqa: SLF001 - of the same class
            for value, offset in values:
                self.note(key, value, offset)


def described(members: Iterable[Member]) -> Iterator[Described]:
    """Yield the objects of a document that have any of the keys that matter, inner ones first.

    Raises:
        Malformed: The text is no document. What was open then was yielded, as far as it went.
        LimitReached: As the stream says.
    """
    opened: list[Described] = []
    try:
        for member in members:
            key, value = member.path[-1] if member.path else None, member.value
            path = member.path[:-1]
            if isinstance(key, int):
                # Of a list, the first item.
                if key or len(path) < 1 or path[-1] not in _LISTS:
                    continue
                key, path = f"{path[-1]}[]", path[:-1]
            elif key not in _KEYS and path[-1:] != ("config",):
                continue
            yield from _left(opened, path)
            if not opened or opened[-1].path != path:
                opened.append(Described(path))
            if key in _KEYS or "[" in str(key):
                opened[-1].note(str(key), value, member.offset)
    except Malformed:
        yield from _left(opened, None)
        raise
    yield from _left(opened, None)


def _left(opened: list[Described], path: Path | None) -> Iterator[Described]:
    """Yield the open objects that do not lead to ``path``, and hand their `config` to its owner."""
    while opened and (path is None or path[: len(opened[-1].path)] != opened[-1].path):
        done = opened.pop()
        steps = done.path[-2:]
        if steps[-1:] == ("config",):
            owner = _owner(opened, done.path[:-1])
            if owner.config is None:
                owner.config = done
            else:
                owner.config.merge(done)
        elif steps[:1] == ("config",) and isinstance(steps[1], int):
            # Of older versions: a list of layers.
            _owner(opened, done.path[:-2]).note("config", None, 0)
        yield done


def _owner(opened: list[Described], path: Path) -> Described:
    if not opened or opened[-1].path != path:
        opened.append(Described(path))
    return opened[-1]
