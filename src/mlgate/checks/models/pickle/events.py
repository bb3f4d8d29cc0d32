"""What a stream does, each thing once, with where it was first seen and how often."""

from collections.abc import Iterable
from typing import Any

from mlgate.checks.models.pickle.scipy_source import distribution
from mlgate.checks.models.pickle.values import (
    CONTAINERS,
    Global,
    Made,
    Payload,
    Persistent,
    Unknown,
    arguments,
    describe,
    likeness,
    render,
)
from mlgate.checks.models.reader import LimitReached

# Different texts that one argument position of one callable is told apart by. Beyond
# them the position counts as varied, so that a million dates do not make a million facts.
_TEXTS = 32
_SHAPES = 128
_NAME = 64
# Values that the descriptions of all events may show between them.
_VALUES = 60_000
# Whatever their value, rules make nothing of it.
_SAME = frozenset((int, float, bool, type(None), str, bytes, Payload))


class Event:
    """One thing that a stream does.

    Attributes:
        kind: The fact's kind, without the family.
        subject: What it is about.
        offset: Where it was first seen.
        count: How often.
        detail: Plain values for rules.
    """

    __slots__ = ("count", "detail", "kind", "offset", "subject")

    def __init__(self, kind: str, subject: str, offset: int, detail: dict[str, Any]) -> None:
        self.kind, self.subject, self.offset, self.detail, self.count = kind, subject, offset, detail, 1


class _Use:
    __slots__ = ("shapes", "texts")

    def __init__(self) -> None:
        self.shapes: dict[Any, Event] = {}
        self.texts: dict[int, set[str]] = {}


class Recorder:
    """Collects the events of a file's streams.

    Attributes:
        events: In the order in which they were first seen.
        acted: Whether a name that Python could import was called, instantiated or mutated.
        globals: Every imported object, once.
        stream: Offset of the stream that is being read.
        decoded: Bytes of decoded payloads that are kept until they are read.
    """

    def __init__(self, limit: int, stream: int = 0) -> None:
        self.events: list[Event] = []
        self.acted = False
        self.globals: dict[tuple[str, str, bool, bool], Global] = {}
        self.stream = stream
        self.decoded = 0
        self._limit = limit
        self._shown = 0
        self._once: dict[Any, Event] = {}
        self._uses: dict[Any, _Use] = {}

    def note(self, kind: str, subject: str, offset: int, key: Any = None, **detail: Any) -> None:
        """Record an event, once for each kind, subject and ``key``."""
        identity = (kind, subject, key)
        event = self._once.get(identity)
        if event is None:
            self._once[identity] = self._add(kind, subject, offset, detail)
        else:
            event.count += 1

    def imports(self, what: Global, offset: int) -> None:
        """Record that ``what`` was imported."""
        self.note(
            "import", what.subject, offset,
            module=what.module, name=what.name, written=what.written, plausible=what.plausible,
        )  # fmt: skip
        if what.dotted:
            self.note("dotted", what.subject, offset, module=what.module, name=what.name)

    def imported(self, what: Global) -> Event | None:
        """Return the event of an import that was recorded."""
        return self._once.get(("import", what.subject, None))

    def call(self, how: str, maker: Global, args: tuple[Any, ...] | None, offset: int, via: str) -> None:
        """Record a call or an instantiation (``how``), once for each shape of arguments."""
        event = self._call(how, maker, args, offset, via)
        if via == "NEWOBJ" and args == () and maker.recorder is self:
            maker.again[via] = event
        if args is None or how != "call" or via != "REDUCE" or not maker.simple or maker.recorder is not self:
            return
        texts = self._uses[how, maker, via].texts
        varied = frozenset(position for position, known in texts.items() if len(known) >= _TEXTS)
        if varied != maker.varied:
            maker.varied = varied
            maker.quick.clear()
        for arg in args:
            kind = type(arg)
            if kind is str and len(arg) > _NAME:
                return
            if kind in _SAME or kind is Global:
                continue
            if kind is Made and arg.how == "call" and type(arg.maker) is Global:
                continue
            if kind not in CONTAINERS or not _SAME.issuperset(map(type, arg)):
                return
        if len(maker.quick) < _SHAPES:
            maker.quick[likeness(args, maker.varied)] = event

    def _call(self, how: str, maker: Global, args: tuple[Any, ...] | None, offset: int, via: str) -> Event:
        use = self._uses.get((how, maker, via))
        if use is None:
            use = self._uses[how, maker, via] = _Use()
            self.acted = self.acted or maker.plausible
        key = _shape(use, args)
        event = use.shapes.get(key)
        if event is not None:
            event.count += 1
            return event
        exact = len(use.shapes) < _SHAPES
        shown = [describe(arg) for arg in args] if args is not None else None
        if shown is not None:
            for position, texts in use.texts.items():
                if position < len(shown) and shown[position]["type"] == "text" and len(texts) >= _TEXTS:
                    shown[position].pop("value", None)
        use.shapes[key] = self._add(
            how, maker.subject, offset,
            {
                "module": maker.module, "name": maker.name, "written": maker.written,
                "via": via, "args": shown, "exact": exact,
                "text": f"{render(maker)}({arguments(args)})",
            },
        )  # fmt: skip
        return use.shapes[key]

    def computed(self, callee: Any, args: tuple[Any, ...] | None, offset: int, via: str) -> None:
        """Record a call of something that is not an imported name."""
        self.acted = True
        bare = args == ()
        if self._again("computed-callee", subject(callee), key := (_callee(callee), via, bare)):
            return
        self.note(
            "computed-callee", subject(callee), offset, key,
            via=via, bare=bare, text=f"{render(callee)}({arguments(args)})", **_attribute(callee),
        )  # fmt: skip

    def fill(self, target: Any, value: Any, offset: int, via: str) -> None:
        """Record that a value was handed to an object by BUILD, SETITEM(S), APPEND(S) or ADDITEMS."""
        kind = type(target)
        if kind is Global:
            self.acted = self.acted or target.plausible
            self.note(
                "mutation", target.subject, offset, via,
                via=via, text=f"{render(target)} <- {render(value)}",
            )  # fmt: skip
            return
        how = target.how if kind is Made else "persistent" if kind is Persistent else "unknown"
        built = kind is Made and target.built
        about, key = subject(target), (how, via, type(value), built)
        if not self._again("fill", about, key):
            self.note(
                "fill", about, offset, key,
                via=via, how=how, built=built, value=describe(value, 2),
                text=f"{render(target)} <- {render(value)}",
                **(_attribute(target.maker) if how == "instance" else {}),
            )  # fmt: skip
        if via == "BUILD" and kind is Made and not built and type(target.maker) is Global:
            maker = target.maker
            if maker.recorder is self and not maker.name.endswith("Wrapper") and not distribution(maker):
                # Those of joblib stand for arrays; each state of a distribution is executed.
                maker.again[how, type(value)] = self._once["fill", about, key]

    def adopt(self, other: "Recorder") -> None:
        """Take over what another recorder saw."""
        self.acted = self.acted or other.acted
        for event in other.events:
            self._add(event.kind, event.subject, event.offset, event.detail)

    def _again(self, kind: str, about: str, key: Any) -> bool:
        """Count an event that was recorded before, without the cost of showing it."""
        event = self._once.get((kind, about, key))
        if event is not None:
            event.count += 1
        return event is not None

    def _add(self, kind: str, about: str, offset: int, detail: dict[str, Any]) -> Event:
        if len(self.events) >= self._limit:
            raise LimitReached("facts")
        self._shown += _size(detail.get("args") or ()) + _size((detail.get("value"),))
        if self._shown > _VALUES:
            raise LimitReached("facts")
        detail["stream"] = self.stream
        event = Event(kind, about, offset, detail)
        self.events.append(event)
        return event


def _size(shown: Iterable[Any]) -> int:
    """Count the values that a description shows."""
    total = 0
    waiting = list(shown)
    while waiting:
        value = waiting.pop()
        total += 1
        if isinstance(value, dict):
            waiting.extend(value.get("items", ()))
    return total


def _callee(value: Any) -> Any:
    """Tell callees apart by what made them, and from what."""
    if type(value) is not Made:
        return type(value)
    maker = value.maker if type(value.maker) is Global else (type(value.maker), value.origin())
    if value.args is None:
        return maker
    return maker, tuple(arg if type(arg) in (str, Global) else type(arg) for arg in value.args)


def _attribute(value: Any) -> dict[str, Any]:
    """Module and name of what ``getattr`` takes out of an imported object.

    Protocols below 4 write a class inside a class so.
    """
    if type(value) is not Made or type(value.maker) is not Global or not value.args or len(value.args) != 2:
        return {}
    owner, name = value.args
    if value.maker.subject not in ("builtins.getattr", "__builtin__.getattr"):
        return {}
    if type(owner) is not Global or type(name) is not str:
        return {}
    return {"module": owner.module, "name": f"{owner.name}.{name}"}


def subject(value: Any) -> str:
    """Name a value by the imported object that it came from, or by its type."""
    if type(value) is Global:
        return value.subject
    if type(value) is Made:
        origin = value.origin()
        return origin.subject if origin else "unknown"
    if type(value) is Persistent:
        return "persistent id"
    if type(value) is Payload:
        return value.kind
    return value.what if type(value) is Unknown else type(value).__name__


def _shape(use: _Use, args: tuple[Any, ...] | None) -> Any:
    if args is None:
        return None
    if len(use.shapes) >= _SHAPES:
        # The arguments vary too much to tell each apart; their types still do.
        for position, arg in enumerate(args):
            if type(arg) is str:
                texts = use.texts.setdefault(position, set())
                texts.update(f"\0{number}" for number in range(_TEXTS))
    key = []
    for position, arg in enumerate(args):
        kind: Any = type(arg)
        if kind is str and len(arg) <= _NAME:
            texts = use.texts.setdefault(position, set())
            if arg in texts or len(texts) < _TEXTS:
                texts.add(arg)
                kind = arg if len(texts) < _TEXTS else str
        elif kind not in _SAME:
            kind = _inside(arg)
        key.append(kind)
    return tuple(key)


def _inside(value: Any) -> Any:
    """Tell values apart by what they are made of; containers hold no more than two levels."""
    kind = type(value)
    if kind is Global:
        return value
    if kind is Made:
        return value.how, value.origin()
    if kind is Unknown:
        return value.what
    if kind not in CONTAINERS:
        return kind
    kinds = frozenset(map(type, value))
    return kind, kinds if kinds <= _SAME else frozenset(map(_inside, value))
