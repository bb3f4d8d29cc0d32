"""What attacks and proofs together say: bounds above and below, never mixed up."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlgate.checks.assessment.cascade import Cascade
    from mlgate.checks.assessment.sequential import Look


def bound(cascade: "Cascade", last: "Look | None") -> str:
    """Say on which side of the truth the figure lies that attacks and proofs leave.

    Args:
        cascade: After the last look.
        last: The last look.
    """
    if not cascade.proves:
        return "upper bound (black-box)" if cascade.black_box else "upper bound"
    unknown = 0 if last is None else last.successes - last.proven
    return f"upper bound ({unknown} samples neither proven nor broken)" if unknown else "exact (verified)"


def certificate(cascade: "Cascade", last: "Look | None") -> dict[str, Any]:
    """Return the ``certificate`` of a report's detail: what is proven. Empty where nothing proves."""
    if not cascade.proves or last is None:
        return {}
    exact = last.proven == last.successes
    return {
        "certificate": {
            "value": last.proven / last.n,
            "low": last.low,
            # The samples that are neither proven nor broken say nothing of what is proven of others.
            "high": last.high if exact else None,
            "proven": last.proven,
            "unknown": last.successes - last.proven,
            "bound": "exact (verified)" if exact else "lower bound (certificate)",
        }
    }
