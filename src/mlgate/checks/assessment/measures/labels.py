"""How many labels of the data are likely wrong, by confident learning, through cleanlab.

A model that never saw these samples disagrees with a wrong label, and is sure of it. The
figure is a share of *likely* errors: a weak model finds errors where there are none.

Source: Northcutt et al. (2021), arXiv:1911.00068.
"""

import importlib.metadata
import importlib.util
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET

from mlgate.checks.assessment.figures import Estimate, figure
from mlgate.checks.assessment.intervals import clopper_pearson
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Bound, Labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = 60
TASKS = ("classification",)
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "labels"
_MOST_SHOWN = 20


def measure(subject: Subject, settings: Labels) -> Iterator[Figure]:
    """Look for label errors; see :class:`mlgate.checks.assessment.measure.Measure`."""
    if importlib.util.find_spec("cleanlab") is None:
        raise Unassessable(
            "extra-missing",
            "cleanlab must be installed to look for label errors: pip install 'mlgate[labels]'",
            _FAMILY,
        )
    chances, how = _probabilities(subject)
    worst = _issues(subject.labels, chances)
    n, count = len(subject.labels), len(worst)
    low, high = clopper_pearson(count, n, subject.entry.confidence)
    detail = {
        "successes": count,
        "interval": "exact (Clopper-Pearson)",
        "library": f"cleanlab {importlib.metadata.version('cleanlab')}",
        "method": "confident learning (cleanlab), on the model's answers to samples taken as unseen",
        "probabilities": how,
        "worst": [_shown(subject, chances, sample) for sample in worst[:_MOST_SHOWN]],
    }
    known = Estimate(count / n, low, high, n, detail)
    bound = Bound(UNSET, settings.max_share)
    yield figure(subject, "label_error_share", known, bound, family=_FAMILY, key=_FAMILY, at="max_share")


def _probabilities(subject: Subject) -> "tuple[NDArray[np.float64], str]":
    """Return [n, k] probabilities: the model's own, or the softmax of its scores."""
    model: Any = subject.model
    shares = np.exp(model.clean - model.clean.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    own = model.meaning in ("probabilities", "probability")
    return shares, "the model's own" if own else "softmax of the model's scores"


def _issues(labels: "NDArray[np.int64]", chances: "NDArray[np.float64]") -> list[int]:
    """Return the samples whose labels are likely wrong, the worst first."""
    from cleanlab import filter as confident  # noqa: PLC0415 - slow to import, and only this needs it

    # Of classes that have no sample, nothing can be learned; cleanlab wants the others numbered on end.
    present, places = np.unique(labels, return_inverse=True)
    held = chances[:, present]
    held = held / np.maximum(held.sum(axis=1, keepdims=True), 1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with few samples: the report says how many there are
        found = confident.find_label_issues(
            places, held, return_indices_ranked_by="self_confidence", n_jobs=1
        )
    return [int(sample) for sample in found]


def _shown(subject: Subject, chances: "NDArray[np.float64]", sample: int) -> dict[str, Any]:
    label, answer = int(subject.labels[sample]), int(chances[sample].argmax())
    return {
        "sample": int(subject.dataset.ids[sample]),
        "label": str(subject.dataset.y[sample])[:80],
        "model_says_column": answer,
        "probability_of_label": float(chances[sample, label]),
        "probability_of_answer": float(chances[sample, answer]),
    }
