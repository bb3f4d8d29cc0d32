"""How far the evaluation data lies from reference data, usually the training data, feature by feature.

The worst feature decides. What the figure would be without any drift is said beside it: a
small sample is never quite like another one.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from mlgate.checks.assessment.divergence import kolmogorov_smirnov, population_stability
from mlgate.checks.assessment.figures import Estimate, figure
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Bound, Ceiling, Drift

if TYPE_CHECKING:
    from mlgate.checks.assessment.data import Dataset

ORDER = 5
TASKS = ("classification", "regression")
INPUTS = ("numbers",)
ALWAYS = False

_FAMILY = "drift"
_MOST_FEATURES = 20_000
_MOST_SHOWN = 20
_ERROR = 0.05


def measure(subject: Subject, settings: Drift) -> Iterator[Figure]:
    """Compare every feature; see :class:`mlgate.checks.assessment.measure.Measure`."""
    reference = subject.read(settings.reference, f"{_FAMILY}.reference")
    held = (reference.x, subject.dataset.x)
    # The same number is another one in another precision; the coarser one holds for both.
    coarser = min((x.dtype for x in held), key=lambda dtype: dtype.itemsize)
    before, after = (x.reshape(len(x), -1).astype(coarser, copy=False) for x in held)
    if before.shape[1] != after.shape[1]:
        raise Unassessable(
            "wrong-shape",
            f"{reference.name} holds {before.shape[1]} features a sample and {subject.dataset.name} "
            f"{after.shape[1]}: they must be the same",
            f"{_FAMILY}.reference.path",
        )
    if before.shape[1] > _MOST_FEATURES:
        raise Unassessable(
            "limit", f"{before.shape[1]} features are more than the {_MOST_FEATURES} compared", _FAMILY
        )
    names = subject.dataset.names or tuple(str(place) for place in range(before.shape[1]))
    for name, bound in (("psi", settings.psi), ("ks", settings.ks)):
        found = [_one(name, before[:, place], after[:, place]) for place in range(len(names))]
        order = sorted(range(len(names)), key=lambda place: -found[place][0])
        worst = order[0]
        detail = {
            "interval": "none: read the value beside what it would be without drift",
            "worst_feature": names[worst],
            "without_drift": _chance(name, len(before), len(after), found[worst][1], len(names)),
            "features": {names[place]: {name: found[place][0]} for place in order[:_MOST_SHOWN]},
            "feature_count": len(names),
            **_about(reference),
        }
        known = Estimate(found[worst][0], None, None, len(after), detail)
        asked = Bound(UNSET, bound.max) if isinstance(bound, Ceiling) else None
        yield figure(subject, name, known, asked, family=_FAMILY, key=f"{_FAMILY}.{name}")


def _one(name: str, before: Any, after: Any) -> tuple[float, int]:
    if name == "psi":
        return population_stability(before, after)
    return kolmogorov_smirnov(before, after), 0


def _chance(name: str, before: int, after: int, bins: int, features: int) -> float:
    """Return what the worst feature's figure stays below in about 95 of 100 samples without drift.

    The index is about a chi-square variable with one degree of freedom less than there are
    bins, times the sum of the samples' reciprocals (Yurdakul 2018); its quantile is Wilson
    and Hilferty's. For the Kolmogorov-Smirnov statistic it is Smirnov's limit. Among several
    features the error is split (Bonferroni).
    """
    spread, error = 1 / before + 1 / after, _ERROR / features
    if name == "ks":
        return min(1.0, math.sqrt(-math.log(error / 2) / 2 * spread))
    freedom = max(bins - 1, 1)
    far = NormalDist().inv_cdf(1 - error)
    return float(freedom * (1 - 2 / (9 * freedom) + far * math.sqrt(2 / (9 * freedom))) ** 3 * spread)


def _about(reference: "Dataset") -> dict[str, Any]:
    return {
        "reference": reference.name,
        "reference_sha256": reference.sha256,
        "reference_samples": len(reference.x),
    }
