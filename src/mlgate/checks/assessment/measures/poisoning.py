"""Scans for poisoned data and back doors: reported, never blocking.

Two questions about each class, asked of the model's scores: do the samples fall into a
large and a small heap (activation clustering), and do some stand far out along the
direction in which the class varies most (spectral signatures)?

Neither answer is a verdict. Twelve small networks with a back door that works (it fools them in
97 of 100 cases or more) and four clean ones could not be told apart by these scans: what they
name is worth a look, and what they do not name is not clean.

Sources: Tran et al. (2018), arXiv:1811.00636; Chen et al. (2018), arXiv:1811.03728.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment import data, heaps
from mlgate.checks.assessment.figures import Estimate, figure
from mlgate.checks.assessment.labels import label_columns
from mlgate.checks.assessment.measure import Figure, Subject
from mlgate.checks.assessment.model import Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import DataFile, Poisoning

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDER = 70
TASKS = ("classification",)
INPUTS = ("numbers", "text")
ALWAYS = False

_FAMILY = "poisoning"
_FEWEST = 20
_MOST = 2000
_SMALL_HEAP = 0.35
_APART = 0.5
_OUTLIERS = 0.1
_FEWEST_OUTLIERS = 3
_MEANING = "a hint, not a verdict: clean models give such figures too, and a back door need not show here"


def measure(subject: Subject, settings: Poisoning) -> Iterator[Figure]:
    """Scan every class; see :class:`mlgate.checks.assessment.measure.Measure`."""
    scores, labels, ids, said = _scanned(subject, settings)
    clustering, spectra, skipped = {}, {}, {}
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < _FEWEST:
            skipped[str(label)] = len(rows)
        else:
            rows = rows[np.sort(np.random.default_rng(subject.entry.seed).permutation(len(rows))[:_MOST])]
            clustering[str(label)] = _clustered(scores[rows])
            spectra[str(label)] = _spectrum(scores[rows], ids[rows])
    if not clustering:
        raise Unassessable(
            "too-few-samples",
            f"no class of {said['scanned']} has {_FEWEST} samples, and fewer show no heaps; scan training "
            "data as poisoning.reference",
            _FAMILY,
        )
    for name, by_class, about in (
        ("cluster_silhouette", clustering, "two heaps in a class: activation clustering, on scores"),
        ("spectral_outlier_share", spectra, "samples far out in a class: spectral signatures, on scores"),
    ):
        worst = max(by_class.values(), key=lambda one: (one["suspicious"], one["value"]))
        detail = {
            "interval": "none",
            "method": about,
            "read_as": _MEANING,
            "suspicious": worst["suspicious"],
            "by_class": {name: {**one, "samples": one["samples"][:20]} for name, one in by_class.items()},
            "not_scanned": skipped,
            **said,
        }
        known = Estimate(worst["value"], None, None, len(labels), detail)
        yield figure(subject, name, known, None, family=_FAMILY, key=_FAMILY)


def _scanned(
    subject: Subject, settings: Poisoning
) -> "tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], dict[str, Any]]":
    """Return scores [n, k], labels and numbers of the samples that are scanned, and what they are."""
    model: Any = subject.model
    if not isinstance(settings.reference, DataFile):
        return model.clean, subject.labels, subject.dataset.ids, {"scanned": subject.dataset.name}
    held = subject.read(settings.reference, f"{_FAMILY}.reference")
    wanted = Signature(
        (None, *subject.x.shape[1:]), "text" if subject.x.dtype.kind == "O" else str(subject.x.dtype)
    )
    x = data.fit(held.x, wanted, held.name)
    labels = label_columns(held, model.first, model.columns)
    said = {"scanned": held.name, "reference_sha256": held.sha256}
    return model.predict(x), labels, held.ids, said


def _clustered(scores: "NDArray[Any]") -> dict[str, Any]:
    share, apart = heaps.halves(scores)
    return {
        "value": apart,
        "smaller_heap": share,
        "suspicious": bool(share < _SMALL_HEAP and apart >= _APART),
        "samples": [],
    }


def _spectrum(scores: "NDArray[Any]", ids: "NDArray[np.int64]") -> dict[str, Any]:
    far = heaps.outliers(scores)
    share = float(far.mean())
    return {
        "value": share,
        "suspicious": bool(share >= _OUTLIERS and far.sum() >= _FEWEST_OUTLIERS),
        "samples": [int(one) for one in ids[far]],
    }
