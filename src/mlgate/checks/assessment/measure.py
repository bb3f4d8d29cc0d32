"""What a measure is: one thing that an assessment can ask of a model.

A measure is a module of :mod:`mlgate.checks.assessment.measures` with the members of
:class:`Measure`. Its name is the policy key of an assessment that asks for it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from mlgate.core.facts import Measurement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.classifier import Classifier
    from mlgate.checks.assessment.data import Dataset
    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.predictor import Predictor
    from mlgate.policy.assessment import Assessment, DataFile, ModelFile


class Subject(Struct, frozen=True, kw_only=True):
    """What is measured: a loaded model and the data that it is measured on.

    Attributes:
        entry: What the policy says of this assessment.
        model: The model: a :class:`~mlgate.checks.assessment.classifier.Classifier` where
            the task is classification, a :class:`~mlgate.checks.assessment.predictor.Predictor`
            in a regression.
        dataset: The data as it was read.
        x: [n, ...] Its features in the model's shape and dtype.
        labels: [n] The right columns of the scores; in a regression the right values.
        detail: What a second run needs whatever is measured: digests, versions, walls.
        progress: Told what is being done.
        read: Reads another data file with the same columns, by policy entry and key.
        load: Loads another model in a sandbox of its own, by policy entry and key.
        twin: Starts the model once more in a form that offers gradients, or None where
            there is no such form.
    """

    entry: "Assessment"
    model: "Predictor | Classifier"
    dataset: "Dataset"
    x: "Floats"
    labels: "NDArray[Any]"
    detail: Mapping[str, Any]
    progress: Callable[[str], None]
    read: "Callable[[DataFile, str], Dataset]"
    load: "Callable[[ModelFile, str], AbstractContextManager[Predictor]]"
    twin: Callable[[], AbstractContextManager[Any]] | None = None

    @property
    def name(self) -> str:
        """The assessment's name."""
        return self.entry.name


class Figure(Struct, frozen=True):
    """A measurement, and where the policy asks for it.

    Attributes:
        measurement: The figure.
        key: The policy key of its threshold, relative to the assessment:
            ``performance.accuracy.min``.
        gap: Why it decides nothing, where it does not and that makes the run undecided:
            a reason slug and a message for a person.
    """

    measurement: Measurement
    key: str = ""
    gap: tuple[str, str] | None = None


class Measure(Protocol):
    """What a module of ``measures`` provides.

    Attributes:
        ORDER: Cheap before dear, and what others build on first.
        TASKS: ``classification``, ``regression``.
        INPUTS: Kinds of features that it can handle: ``numbers``, ``text``.
        ALWAYS: True where it shows something even if the policy asks it for nothing: then
            its settings are unset.
    """

    ORDER: int
    TASKS: tuple[str, ...]
    INPUTS: tuple[str, ...]
    ALWAYS: bool

    def measure(self, subject: Subject, settings: Any) -> Iterator[Figure]:
        """Measure what the policy's section of this name asks for, figure by figure.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: The rest cannot be measured;
                what was given before stands.
        """
        ...
