"""What a metric is: one number about a model's answers.

A metric is a module of :mod:`mlgate.checks.assessment.metrics` with the members of
:class:`Metric`. Its name is the policy key that asks for it, in `performance` and in
`subgroups`.
"""

from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mlgate.checks.assessment.measure import Subject
    from mlgate.checks.assessment.model import Floats


class Predictions(Struct, frozen=True):
    """A model's answers beside the truth.

    Attributes:
        labels: [n] Right columns of the scores; in a regression the right values.
        scores: [n, k] Comparable scores; in a regression the predicted values, [n, 1].
        meaning: How the scores are read: see :mod:`mlgate.checks.assessment.classifier`.
            Probabilities are the exponentials of scores that mean ``probabilities`` or
            ``probability``. In a regression: ``values``.
    """

    labels: "NDArray[Any]"
    scores: "Floats"
    meaning: str

    def part(self, rows: "NDArray[Any] | slice") -> "Predictions":
        """Return those of some of the samples: ``rows`` are indices, truth values or a slice."""
        return Predictions(self.labels[rows], self.scores[rows], self.meaning)

    @property
    def right(self) -> "NDArray[np.bool_]":
        """[n] True where the top score is the label's."""
        found: NDArray[np.bool_] = self.scores.argmax(axis=1) == self.labels
        return found


def predictions(subject: "Subject") -> Predictions:
    """Return the model's answers on the clean data."""
    model: Any = subject.model
    return Predictions(subject.labels, model.clean, model.meaning)


class Metric(Protocol):
    """What a module of ``metrics`` provides.

    Attributes:
        TASKS: ``classification``, ``regression``.
        BETTER: ``higher`` or ``lower``.
        OVER: ``answers``: the model's answers on the data; or ``timings``: the milliseconds
            that single samples took, which stand in the place of labels and scores.
        BINOMIAL: True where the value is the share of samples of which something is
            true: then the interval is exact. Otherwise it comes from a bootstrap.
    """

    TASKS: tuple[str, ...]
    BETTER: str
    OVER: str
    BINOMIAL: bool

    def value(self, predictions: Predictions) -> float:
        """Return the metric, over n samples of at least 1.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: These answers have none
                (one class only, no probabilities).
        """
        ...


class Outcomes(Struct, frozen=True):
    """What fairness is about: who got the favourable answer, and who should have.

    Attributes:
        truth: [n] 1 where the favourable answer is the right one; where no answer is
            favourable, the right class.
        answers: [n] The same of the model's answers.
        groups: [n] Names.
    """

    truth: "NDArray[np.int64]"
    answers: "NDArray[np.int64]"
    groups: "NDArray[np.str_]"


class FairnessMetric(Protocol):
    """What a module of ``fairness`` provides.

    Attributes:
        BETTER: ``higher`` or ``lower``.
        RATES: Of what is compared: names of :data:`mlgate.checks.assessment.fairness._rates.RATES`.
        SPREAD: How: a name of :data:`mlgate.checks.assessment.fairness._rates.SPREADS`; the
            worst over the rates counts.
    """

    BETTER: str
    RATES: tuple[str, ...]
    SPREAD: str

    def value(self, outcomes: "Outcomes") -> float:
        """Return the metric, by fairlearn, where every rate of every group is defined."""
        ...
