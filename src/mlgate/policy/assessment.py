"""The policy's `assessment`: a model, its data, and what is asked of it."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from mlgate.policy._words import Path, Section, Sha256, Share, Word


class ModelFile(Section, frozen=True):
    """The model that is assessed.

    Attributes:
        path: The model file.
        sha256: If given, another digest is an error.
    """

    path: Path
    sha256: Sha256 | UnsetType = UNSET


class Data(Section, frozen=True):
    """The data that it is assessed on.

    Attributes:
        path: An ``.npz`` or ``.csv`` file.
        label: Array name or column of the label.
        features: Array name (npz), or columns (csv; the default is all but the label).
        range: Smallest and largest value that a feature can take.
        sha256: If given, another digest is an error.
        limit: Use at most so many samples, drawn with the seed.
    """

    path: Path
    label: Word
    features: Word | Annotated[tuple[Word, ...], Meta(min_length=1)] | UnsetType = UNSET
    range: tuple[float, float] | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Floor(Section, frozen=True):
    """A smallest acceptable value.

    Attributes:
        min: The figure must not lie below it.
    """

    min: Share


class Performance(Section, frozen=True):
    """How well the model must do.

    Attributes:
        accuracy: Share of samples whose top score is the label's.
        confidence: Confidence of the interval.
    """

    accuracy: Floor
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95


class Robustness(Section, frozen=True):
    """How well the model must withstand an attacker.

    Attributes:
        epsilon: Radius of the ball around each sample, in the features' unit.
        min_accuracy: Robust accuracy below it fails the run.
        norm: The ball's norm.
        attacks: Which attacks run, each on the samples that the ones before left standing.
        confidence: Of the confidence sequence that decides when to stop.
        queries: Most model queries an attack may spend on one sample.
        budget_seconds: Wall time after which the assessment ends as inconclusive.
        seed: Seed of every random choice.
    """

    epsilon: Annotated[float, Meta(gt=0)]
    min_accuracy: Share
    norm: Literal["linf"] = "linf"
    attacks: Annotated[tuple[str, ...], Meta(min_length=1)] = ("square",)
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    queries: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    budget_seconds: Annotated[float, Meta(gt=0)] = 120.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 0


class Assessment(Section, frozen=True):
    """One model, its data, and what is asked of it.

    Attributes:
        name: Chosen by the user; names the figures in reports.
        model: The model file.
        data: The data file.
        performance: Thresholds on clean data.
        robustness: Thresholds under attack.
    """

    name: Annotated[str, Meta(pattern=r"^[\w][\w.-]{0,99}$")]
    model: ModelFile
    data: Data
    performance: Performance | UnsetType = UNSET
    robustness: Robustness | UnsetType = UNSET
