"""From severity vectors and words to one score and one severity."""

from collections.abc import Iterable
from typing import Any

from mlgate.checks.dependencies.advisories.records import Rating
from mlgate.core.severity import Severity

# Words of GitHub's advisories, which their CVSS scores follow.
_WORDS = {
    "LOW": Severity.LOW,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}
_LONGEST = 500


def score(ratings: Iterable[Rating]) -> float | None:
    """Return the highest base score, 0 to 10, of CVSS vectors; None where none can be read."""
    scores = [value for rating in ratings if (value := _score(rating)) is not None]
    return max(scores, default=None)


def _score(rating: Rating) -> float | None:
    if not rating.type.startswith("CVSS_V") or len(rating.score) > _LONGEST:
        return None
    # Most records hold no vector: the library is loaded only for one that does.
    import cvss  # noqa: PLC0415 - start-up time
    from cvss.exceptions import CVSSError  # noqa: PLC0415 - start-up time

    kinds = {"CVSS_V2": cvss.CVSS2, "CVSS_V3": cvss.CVSS3, "CVSS_V4": cvss.CVSS4}
    kind = kinds.get(rating.type)
    if kind is None:
        return None
    try:
        return float(kind(rating.score).scores()[0])
    except (CVSSError, ValueError, KeyError, ArithmeticError):
        return None


def of_score(value: float) -> Severity:
    """Return the qualitative severity of a base score (CVSS 3.1, section 5)."""
    for bound, severity in ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM)):
        if value >= bound:
            return severity
    return Severity.LOW if value > 0 else Severity.INFO


def of_record(specific: Any, value: float | None) -> Severity | None:
    """Return the graver of a record's own word and its score's severity; None where neither speaks."""
    word = specific.get("severity") if isinstance(specific, dict) else None
    named = _WORDS.get(word.upper()) if isinstance(word, str) else None
    known = [each for each in (named, None if value is None else of_score(value)) if each is not None]
    return max(known, default=None)
