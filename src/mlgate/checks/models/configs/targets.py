"""Configurations that name what is to be called: Hydra, NeMo, Lightning, latent diffusion.

``_target_``, ``class_path`` and ``target`` are looked up by their loaders and called with
the values beside them, whatever they are.
"""

import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.configs._scalars import Scalar, scalars
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "hydra-config"
KIND = "text"
ORDER = 70

_KEYS = frozenset({"_target_", "class_path", "target", "__target__", "_target"})
# Given to these, a path is looked up in its turn.
_LOOKUPS = ("hydra.utils.", "hydra._internal.")
_LONGEST = 300
_MOST = 20_000


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
    text = _yaml.text_with(blob, _telling(), limits, clock)
    document = _Document()
    try:
        for scalar in scalars(blob, text, clock):
            document.add(scalar)
    except ValueError:
        # Its loader cannot read it either.
        raise Declined from None
    nemo = document.nemo
    seen: set[str] = set()
    for key, subject, line in document.targets():
        if subject in seen:
            continue
        seen.add(subject)
        clock.spend("facts", 1, limits.facts)
        shown = printable(subject, _LONGEST)
        yield blob.fact("config.target", shown, line=line, key=key, nemo=nemo, container=blob.container)
    if not seen:
        raise Declined


class _Document:
    """What of a document says what is called."""

    def __init__(self) -> None:
        self.nemo = False
        self._named: dict[tuple[str | int, str], Scalar] = {}
        self._values: dict[tuple[str | int, ...], str] = {}
        self._mappings: set[tuple[str | int, ...]] = set()
        self._looked_up: list[Scalar] = []

    def add(self, scalar: Scalar) -> None:
        key = scalar.path[-1]
        if key in _KEYS and len(scalar.value) <= _LONGEST:
            self._named.setdefault((scalar.path[0], scalar.value), scalar)
            if len(self._named) > _MOST:
                raise LimitReached("facts")
            if key == "_target_" and scalar.value.startswith(_LOOKUPS):
                self._mappings.add(scalar.path[:-1])
        elif key == "path" and len(self._looked_up) < 10_000:
            self._looked_up.append(scalar)
        elif key == "nemo_version" and len(scalar.path) == 2:
            self.nemo = True
        if len(scalar.value) <= _LONGEST and len(self._values) < 100_000:
            self._values[scalar.path] = scalar.value

    def targets(self) -> Iterator[tuple[str, str, int]]:
        """Yield key, name and line of all that looks like a name in a module."""
        paths = [scalar for scalar in self._looked_up if scalar.path[:-1] in self._mappings]
        for scalar in (*self._named.values(), *paths):
            value = self._resolved(scalar.value, scalar.path[0])
            if _dotted().fullmatch(value):
                yield str(scalar.path[-1]), value, scalar.line

    def _resolved(self, value: str, document: str | int) -> str:
        """Put in what OmegaConf's ``${...}`` refers to, where it stands in the same document."""
        for _ in range(5):
            if "${" not in value or len(value) > _LONGEST:
                break
            value = _reference().sub(lambda found: self._look_up(found[1], document), value)
        return value.strip()

    def _look_up(self, name: str, document: str | int) -> str:
        steps = tuple(int(step) if step.isdigit() else step for step in name.strip().split("."))
        return self._values.get((document, *steps), "$")[:_LONGEST]


@cache
def _telling() -> re.Pattern[str]:
    # `target` is a word of many formats; only with a dotted name behind it is it of interest.
    return re.compile(
        r"_target_|class_path|__target__"
        r"|\btarget[\"']?\s{0,9}:\s{0,9}(?:[\"'&!|>*$\\]|[A-Za-z_]\w{0,60}\.)"
        r"|\\(?:x|u00|U000000)[2-7]"
    )


@cache
def _dotted() -> re.Pattern[str]:
    return re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


@cache
def _reference() -> re.Pattern[str]:
    return re.compile(r"\$\{([\w.]{1,200})\}")
