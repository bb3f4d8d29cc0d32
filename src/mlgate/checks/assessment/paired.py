"""Two sets of answers to the same samples: how much worse one is, with an interval for the difference.

The samples are the same, so what is easy or hard about them cancels out: a paired
difference is known far better than two figures are apart.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment import bootstrap
from mlgate.checks.assessment.figures import Estimate
from mlgate.checks.assessment.metric import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def worse(measured: Any, before: Predictions, after: Predictions, confidence: float, seed: int) -> Estimate:
    """Return by how much a metric is worse after than before: positive where it is.

    Args:
        measured: The metric.
        before: Answers of the better, or of the undisturbed.
        after: Answers to the same samples.
        confidence: Of the interval, which comes from a bootstrap over the samples.
        seed: Of the bootstrap.

    Raises:
        Unassessable: The metric has no value on these answers.
    """
    sign = 1.0 if measured.BETTER == "higher" else -1.0
    values = measured.value(before), measured.value(after)
    n = len(before.labels)
    if measured.BINOMIAL:
        found = _of_shares(_each(measured, before), _each(measured, after), confidence, seed)
    else:
        found = bootstrap.percentile(
            lambda rows: sign * (measured.value(before.part(rows)) - measured.value(after.part(rows))),
            n,
            confidence,
            seed,
            width=before.scores.shape[1],
        )
    detail = {"interval": f"paired {found.method}", "before": float(values[0]), "after": float(values[1])}
    return Estimate(float(sign * (values[0] - values[1])), found.low, found.high, n, detail)


def _each(measured: Any, given: Predictions) -> "NDArray[np.int64]":
    """Return what each sample adds to a share: 0 or 1, [n]."""
    return np.array([round(measured.value(given.part(slice(at, at + 1)))) for at in range(len(given.labels))])


def _of_shares(
    before: "NDArray[np.int64]", after: "NDArray[np.int64]", confidence: float, seed: int
) -> bootstrap.Interval:
    """Resample a difference of shares: only how many samples were lost and won matters."""
    n = len(before)
    counts = np.bincount(before - after + 1, minlength=3)
    drawn = bootstrap.resamples(n)
    lost = np.random.default_rng(seed).multinomial(n, counts / n, drawn)
    return bootstrap.of_values((lost[:, 2] - lost[:, 0]) / n, confidence, drawn, "percentile bootstrap")
