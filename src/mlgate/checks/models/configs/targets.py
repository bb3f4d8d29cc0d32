"""Configurations that name what is to be called: Hydra, NeMo, Lightning, latent diffusion.

``_target_``, ``class_path`` and ``target`` are looked up by their loaders and called with
the values beside them, whatever they are.
"""

import io
import re
from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import Struct

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.configs._scalars import Scalar, scalars
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import member, printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "hydra-config"
KIND = "text"
ORDER = 70

_KEYS = frozenset({"_target_", "class_path", "target", "__target__", "_target", "_component_"})
# Given to these, a path is looked up in its turn.
_LOOKUPS = ("hydra.utils.", "hydra._internal.")
_LONGEST = 300
# A name may go through a module as often as it likes.
_LONGEST_TARGET = 10_000
_RESOLVERS = frozenset(("oc.env", "oc.select", "oc.decode", "oc.deprecated"))
_MOST = 20_000
_MOST_KEPT = 16 << 20
# Of what stands beside a name so much is told.
_MOST_GIVEN = 200


def sniff(blob: Blob) -> bool:
    """Any text may be YAML or JSON; see ``read`` for which are parsed."""
    # The nodes of an exported program have targets as well, which their own reader judges.
    exported = blob.container == "torch" or (
        blob.container and blob.name == "serialized_exported_program.json"
    )
    return not exported and _yaml.could_be_yaml(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield each name that is to be called, once.

    Raises:
        Declined: There is none.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _telling().search, limits, clock)
    document = _Document()
    try:
        for scalar in scalars(blob, text, clock):
            document.add(scalar)
    except ValueError:
        # Its loader cannot read it either.
        raise Declined from None
    nemo = document.nemo
    seen: dict[str, list[_Target]] = {}
    for target in document.targets():
        seen.setdefault(target.name, []).append(target)
    for name, targets in seen.items():
        # A name that stands in several places is told once, with what it is given in any of them.
        clock.spend("facts", 1, limits.facts)
        yield blob.fact(
            "config.target",
            printable(shortened(name), _LONGEST),
            line=targets[0].line,
            key=targets[0].key,
            nemo=nemo,
            given=document.given(each.home for each in targets),
            container=blob.container,
        )
    for scalar in document.inner:
        # A text that is made a configuration in its turn.
        data = scalar.value.encode("utf-8", "replace")
        yield member(blob, f"{scalar.path[-1]}.yaml", io.BytesIO(data), len(data), container=FORMAT)
    if not seen and not document.inner:
        raise Declined


def shortened(subject: str) -> str:
    """Cut a long name in the middle: what counts is where it begins and where it ends."""
    if len(subject) <= _LONGEST:
        return subject
    return f"{subject.partition('.')[0][:100]}.{subject[-190:].partition('.')[2]}"


class _Target(Struct, frozen=True):
    """A name that is to be called.

    Attributes:
        key: That it stands under.
        name: Of the function or class.
        line: 1-based.
        home: Path of its mapping.
    """

    key: str
    name: str
    line: int
    home: tuple[str | int, ...]


class _Document:
    """What of a document says what is called."""

    def __init__(self) -> None:
        self.nemo = False
        self._named: dict[tuple[str | int, str], list[Scalar]] = {}
        self._values: dict[tuple[str | int, ...], str] = {}
        self._mappings: set[tuple[str | int, ...]] = set()
        self._looked_up: list[Scalar] = []
        self._room = _MOST_KEPT
        self._beside: dict[tuple[str | int, ...], list[tuple[tuple[str | int, ...], str]]] = {}
        self.inner: list[Scalar] = []

    def add(self, scalar: Scalar) -> None:
        key = scalar.path[-1]
        if key in _KEYS and len(scalar.value) <= _LONGEST_TARGET:
            self._named.setdefault((scalar.path[0], scalar.value), []).append(scalar)
            if len(self._named) > _MOST:
                raise LimitReached("facts")
            if scalar.value.startswith(_LOOKUPS):
                self._mappings.add(scalar.path[:-1])
        elif key == "path" or (isinstance(key, int) and scalar.path[-2:-1] == ("_args_",)):
            self._looked_up.append(scalar)
            if len(self._looked_up) > _MOST:
                raise LimitReached("facts")
        elif key == "nemo_version" and len(scalar.path) == 2:
            self.nemo = True
        self._room -= min(len(scalar.value), _LONGEST_TARGET) + 100
        if self._room > 0:
            self._values[scalar.path] = scalar.value[:_LONGEST_TARGET]
        if "_target_" in scalar.value and ":" in scalar.value:
            self.inner.append(scalar)
            if len(self.inner) > _MOST:
                raise LimitReached("facts")

    def given(self, homes: Iterable[tuple[str | int, ...]]) -> list[list[str]]:
        """Return the different texts that stand beside a name, each with its key.

        Where they are more than anybody reads, what could stand among them does: ``*`` and ``/``.
        """
        if not self._beside:
            for path, value in self._values.items():
                self._beside.setdefault(path[:-1], []).append((path, value))
        found: dict[tuple[str, str], None] = {}
        for home in homes:
            for path, value in (*self._beside.get(home, ()), *self._beside.get((*home, "_args_"), ())):
                found[str(path[-1]), self._resolved(value, path)[:_LONGEST]] = None
                if len(found) > _MOST_GIVEN:
                    return [["*", "/"]]
        return [list(each) for each in found] if self._room > 0 else [["*", "/"]]

    def targets(self) -> Iterator[_Target]:
        """Yield all that looks like a name in a module."""
        for places in self._named.values():
            for scalar in places:
                value = self._resolved(scalar.value, scalar.path)
                if _dotted().fullmatch(value):
                    yield _Target(str(scalar.path[-1]), value, scalar.line, scalar.path[:-1])
        for scalar in self._looked_up:
            value = self._resolved(scalar.value, scalar.path)
            home = scalar.path[:-2] if scalar.path[-2:-1] == ("_args_",) else scalar.path[:-1]
            if home in self._mappings and (value.isidentifier() or _dotted().fullmatch(value)):
                yield _Target(str(scalar.path[-1]), value, scalar.line, home)

    def _resolved(self, value: str, path: tuple[str | int, ...]) -> str:
        """Put in what OmegaConf's ``${...}`` refers to, where it stands in the same document."""
        for _ in range(50):
            # MONAI's references, by value or by text.
            named = _monai().fullmatch(value)
            if named is not None:
                value = self._look_up(re.sub("::|#", ".", named[1]), path)
                continue
            if "${" not in value or len(value) > _LONGEST_TARGET:
                break
            value = _reference().sub(lambda found: self._look_up(found[1], path), value)
        return value.strip()

    def _look_up(self, name: str, path: tuple[str | int, ...]) -> str:
        """Return what a reference stands for: of OmegaConf's own resolvers, what else they give."""
        resolver, colon, given = name.strip().partition(":")
        if colon:
            given = given.rpartition(",")[2] if resolver in ("oc.env", "oc.select") else given
            return given.strip().strip("'\"") if resolver in _RESOLVERS else "$"
        text = _brackets().sub(r".\1", name.strip())
        up = len(text) - len(text.lstrip("."))
        home = path[: len(path) - up] if up else path[:1]
        steps = tuple(int(step) if step.isdigit() else step for step in text.lstrip(".").split("."))
        if self._room <= 0:
            raise LimitReached("facts")
        return self._values.get((*home, *steps), "$")


@cache
def _telling() -> re.Pattern[str]:
    # `target` is a word of many formats; only with a dotted name behind it is it of interest.
    return re.compile(
        r"_target|target_|class_path|_args_|_component_"
        # A key may be broken across lines, between any of its letters.
        r"|\\\r?\n"
        r"|\btarget[\"']?\s{0,9}:\s{0,9}(?:[\"'&!|>*$\\]|[A-Za-z_]\w{0,60}\.)"
        r"|\\(?:x|u00|U000000)[2-7]"
    )


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


@cache
def _reference() -> re.Pattern[str]:
    return re.compile(r"\$\{([^{}$\n]{1,200})\}")


@cache
def _monai() -> re.Pattern[str]:
    return re.compile(r"\s*\$?[@%](\w+(?:(?:::|#)\w+)*)\s*")


@cache
def _brackets() -> re.Pattern[str]:
    return re.compile(r"\[['\"]?([\w-]+)['\"]?\]")
