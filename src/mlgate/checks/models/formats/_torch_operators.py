"""Which of PyTorch's operators do more than compute, as its archives name them."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from mlgate.checks.models.reader import Blob, Clock
from mlgate.checks.models.stream import printable
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

_TABLE = Path(__file__).parent.parent / "data" / "torch_operators.csv"


class Operators:
    """Notes the operators of one archive member, each once.

    Args:
        blob: The member.
        limits: Of the policy.
        clock: Of the file.
    """

    def __init__(self, blob: Blob, limits: Limits, clock: Clock) -> None:
        self._blob, self._limits, self._clock = blob, limits, clock
        self._seen: set[str] = set()

    def note(self, name: str, *, line: int | None = None, offset: int | None = None) -> Iterator[Fact]:
        """Yield a fact where an operator reaches beyond its tensors, or is of no known namespace.

        Args:
            name: With its namespace, as in ``aten::add``.
            line: Where, in a text.
            offset: Where, in binary content.
        """
        name = name.partition(".")[0]
        namespace = name.partition("::")[0]
        does = effects().get(name, "")
        if not does and namespace in effects():
            return
        kind, subject = ("torchscript.operator", name) if does else ("torchscript.namespace", namespace)
        if subject in self._seen:
            return
        self._seen.add(subject)
        self._clock.spend("facts", 1, self._limits.facts)
        yield self._blob.fact(kind, printable(subject, 100), line=line, offset=offset, effect=does)


@cache
def effects() -> Mapping[str, str]:
    """Return what operators do, and namespaces that only compute, with nothing."""
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines if not line.startswith(("#", "operator,")))
    return {name: effect for name, effect in rows}  # noqa: C416 - pairs that are lists
