"""The one severity scale."""

import enum


@enum.unique
class Severity(enum.Enum):
    """How grave a finding is: ``info < low < medium < high < critical``.

    The value is the word that policies, reports and the command line use.
    Ordering follows the definition, never the alphabet.
    """

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position on the scale, 0 (info) to 4 (critical)."""
        return _RANK[self.value]

    def __lt__(self, other: "Severity") -> bool:
        return self.rank < other.rank

    def __le__(self, other: "Severity") -> bool:
        return self.rank <= other.rank

    def __gt__(self, other: "Severity") -> bool:
        return self.rank > other.rank

    def __ge__(self, other: "Severity") -> bool:
        return self.rank >= other.rank


_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}
