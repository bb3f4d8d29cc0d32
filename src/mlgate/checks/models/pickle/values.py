"""What stands on the symbolic stack, and how it is shown to rules and people.

Plain text, bytes, numbers, None and tuples stand for themselves; everything else is one
of the types here. Containers keep their first :data:`KEEP` items only: enough to see how
a call is made, bounded whatever the stream does.
"""

from collections.abc import Iterable
from typing import Any

KEEP = 16
# Longest text or bytes kept as a value; longer ones are payloads that are not read.
LONGEST = 256
_SHOWN = 600


class Global:
    """An imported object.

    Attributes:
        module: As the unpickler imports it, after renaming.
        name: As it is looked up there.
        written: ``module.name`` as the stream has it.
        plausible: Whether Python could import such a name at all.
        dotted: Whether the name walks attributes (protocol 4 and above).
        subject: ``module.name``.
        simple: Whether a call of it is to be recorded, and no more.
        varied: Arguments that are texts and vary without end.
        recorder: Of the machine that imported it.
        quick: Its events of calls that differ in nothing that anybody looks at, by :func:`likeness`.
        again: Its events of instances without arguments (``NEWOBJ``), and of states given to what
            it made, by how that was made and the state's type.
    """

    __slots__ = (
        "again",
        "dotted",
        "module",
        "name",
        "plausible",
        "quick",
        "recorder",
        "simple",
        "subject",
        "varied",
        "written",
    )

    def __init__(self, module: str, name: str, written: str, *, dotted: bool) -> None:
        self.module, self.name, self.dotted = module, name, dotted
        self.written = printable(written)
        self.subject = printable(f"{module}.{name}")
        self.recorder: Any = None
        self.simple, self.varied = True, frozenset[int]()
        self.quick: dict[Any, Any] = {}
        self.again: dict[Any, Any] = {}
        self.plausible = all(part.isidentifier() for part in f"{module}.{name}".split("."))


class Made:
    """What a call or an instantiation returned.

    Attributes:
        maker: The object that was called.
        args: Its arguments, or None where they are not known.
        how: ``call`` or ``instance``.
        depth: Results inside results, bounded.
        built: Whether BUILD gave it a state.
        state: That state, where it was a tuple; :data:`UNKNOWN` where it was anything else.
    """

    __slots__ = ("args", "built", "depth", "how", "maker", "state")

    def __init__(self, maker: Any, args: tuple[Any, ...] | None, how: str) -> None:
        self.maker, self.args, self.how, self.depth = maker, args, how, 1
        self.built = False
        self.state: Any = None
        if type(maker) is Global and (not args or Made not in map(type, args)):
            return
        for inner in (maker, *(args or ())):
            if type(inner) is Made:
                if inner.depth >= 3:
                    inner.args, inner.depth = None, 1
                    inner.maker = inner.origin() or UNKNOWN
                self.depth = max(self.depth, inner.depth + 1)

    @classmethod
    def results(cls, maker: Global, calls: Iterable[tuple[Any, ...]]) -> list["Made"]:
        """Return what an imported object returned, for each of its arguments; no result is among these."""
        new = cls.__new__
        made = []
        for args in calls:
            result = new(cls)
            result.maker, result.args, result.how, result.depth = maker, args, "call", 1
            result.built, result.state = False, None
            made.append(result)
        return made

    def origin(self) -> Global | None:
        """The imported object at the bottom of it."""
        maker = self.maker
        for _ in range(8):
            if type(maker) is Global:
                return maker
            if type(maker) is not Made:
                return None
            maker = maker.maker
        return None


def likeness(args: tuple[Any, ...], varied: frozenset[int]) -> tuple[Any, ...]:
    """Tell arguments apart by type: results of calls by their maker, texts and names by themselves.

    Texts that vary are alike, and so are containers of the same types.
    """
    kinds = tuple(map(type, args))
    if _ALIKE.issuperset(kinds):
        return kinds
    key: list[Any] = []
    for position, arg in enumerate(args):
        kind = kinds[position]
        if kind is str:
            key.append(kind if position in varied else arg)
        elif kind is Made:
            key.append(arg.maker if arg.how == "call" else arg)
        elif kind is Global:
            key.append(arg)
        elif kind in CONTAINERS:
            key.append((kind, frozenset(map(type, arg))))
        else:
            key.append(kind)
    return tuple(key)


class Persistent:
    """What the loader's ``persistent_load`` returns for a persistent id."""

    __slots__ = ("pid",)

    def __init__(self, pid: Any) -> None:
        self.pid = pid


class Payload:
    """Text or bytes too long to keep.

    Attributes:
        kind: ``text`` or ``bytes``.
        offset: Of its first byte.
        size: Bytes.
    """

    __slots__ = ("kind", "offset", "size")

    def __init__(self, kind: str, offset: int, size: int) -> None:
        self.kind, self.offset, self.size = kind, offset, size


class Dict(list[Any]):
    """The first keys and values of a dict, by turns."""

    __slots__ = ()


class Set(list[Any]):
    """The first items of a set or frozenset."""

    __slots__ = ()


class Unknown:
    """A value that could be anything.

    Attributes:
        what: Its type, as far as that is known.
    """

    __slots__ = ("what",)

    def __init__(self, what: str = "unknown") -> None:
        self.what = what


UNKNOWN = Unknown()
NUMBER = Unknown("number")
BUFFER = Unknown("buffer")
BYTEARRAY = Unknown("bytearray")
ARRAY = Unknown("array")
CUT = Unknown("nested")
# Stands behind the items kept of a container of which more were not, unless these are numbers.
MORE = Unknown()

CONTAINERS = frozenset((tuple, list, Dict, Set))
# Their type tells all that a likeness does.
_ALIKE = frozenset((int, float, bool, type(None), bytes, Payload))
# Values that C's unpickler can neither call nor mutate: an attempt ends the stream.
PLAIN = frozenset((str, bytes, int, float, bool, type(None), tuple, Payload))


def cut(value: Any) -> Any:
    """Return a container, or :data:`CUT` in its place where it is nested more than two deep."""
    for inner in value:
        if type(inner) in CONTAINERS:
            for innermost in inner:
                if type(innermost) in CONTAINERS:
                    return CUT
    return value


def describe(value: Any, depth: int = 3) -> dict[str, Any]:
    """Say what a value is, in plain values: ``{"type": ..., ...}``.

    Types: ``text`` and ``bytes`` (``value`` where short), ``int``, ``float``, ``bool``, ``none``,
    ``global`` (``value``: its subject), ``call`` and ``instance`` (``value``: the subject of
    the maker), ``persistent``, ``tuple``, ``list``, ``dict`` and ``set`` (``items``), ``number``,
    ``bytearray``, ``buffer``, ``array``, ``nested`` and ``unknown``.
    """
    kind = type(value)
    if kind is str:
        return {"type": "text", "value": value if value.isascii() else printable(value)}
    if kind is bytes:
        return {"type": "bytes", "value": value.decode("latin-1")}
    if kind in _ATOMS:
        return {"type": _ATOMS[kind], "value": value}
    if kind is Global:
        return {"type": "global", "value": value.subject}
    if kind is Made:
        origin = value.origin()
        return {"type": value.how, "value": origin.subject if origin else ""}
    if kind is Persistent:
        return {"type": "persistent"}
    if kind is Payload:
        return {"type": value.kind}
    if kind in CONTAINERS:
        if depth <= 0:
            return {"type": "nested"}
        return {"type": _NAMES[kind], "items": [describe(item, depth - 1) for item in value]}
    return {"type": value.what if kind is Unknown else "unknown"}


_ATOMS: dict[type, str] = {int: "int", float: "float", bool: "bool", type(None): "none"}
_NAMES: dict[type, str] = {tuple: "tuple", list: "list", Dict: "dict", Set: "set"}


def render(value: Any, depth: int = 3) -> str:
    """Show a value as Python would write it, in bounded length."""
    kind = type(value)
    if kind in (str, bytes):
        text = ascii(value[:120])
        return text if len(value) <= 120 else text + "..."
    if kind in _ATOMS:
        return ascii(value) if kind is not int or value.bit_length() < 256 else "<large int>"
    if kind is Global:
        return printable(value.subject)
    if kind is Made:
        if depth <= 0:
            return "..."
        made = render(value.maker, depth - 1)
        if value.how == "instance":
            return f"<{made} object>"
        return f"{made}({arguments(value.args, depth - 1)})"
    if kind is Persistent:
        return f"persistent_load({render(value.pid, depth - 1)})"
    if kind is Payload:
        return f"<{value.size} bytes of {value.kind}>"
    if kind in CONTAINERS:
        return _container(value, depth)
    if value is MORE:
        return "..."
    return f"<{value.what}>" if kind is Unknown else "<?>"


def _container(value: Any, depth: int) -> str:
    if depth <= 0:
        return "..."
    shown = [render(item, depth - 1) for item in value[:8]]
    kind = type(value)
    if kind is Dict:
        pairs = zip(shown[::2], shown[1::2], strict=False)
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if len(value) > 8:
        shown.append("...")
    text = ", ".join(shown)
    if kind is tuple:
        return f"({text},)" if len(value) == 1 else f"({text})"
    return f"[{text}]" if kind is list else f"{{{text}}}" if text else "set()"


def arguments(args: tuple[Any, ...] | None, depth: int = 3) -> str:
    """Show the arguments of a call."""
    if args is None:
        return "..."
    shown = ", ".join(render(item, depth) for item in args[:8])
    return shown if len(args) <= 8 else shown + ", ..."


def printable(text: str) -> str:
    """Return text without control characters, line breaks and surrogates, in bounded length."""
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + "..."
    return text if text.isprintable() else ascii(text)[1:-1]
