"""The policy's `assessment`: a model, its data, and what is asked of it."""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from mlgate.policy import _open
from mlgate.policy._words import Path, Section, Sha256, Share, Word

Confidence = Annotated[float, Meta(ge=0.5, lt=1)]
Seed = Annotated[int, Meta(ge=0, lt=2**32)]
Plain = bool | int | float | str | None
Columns = Word | Annotated[tuple[Word, ...], Meta(min_length=1)]
_FOLDER = "checks/assessment"


class ModelFile(Section, frozen=True):
    """A model that is assessed, or compared with.

    Attributes:
        path: The model file.
        sha256: If given, another digest is an error.
        architecture: For weights without an architecture: ``module:factory``, or
            ``path/of/file.py:factory`` in the repository. It runs inside the sandbox.
        arguments: Keyword arguments of the factory: plain values, or lists of them.
        shape: Of one sample, where the file does not say it and the data is not of that shape.
        trusted_types: Types that a skops file may hold beside those that skops trusts.
        accept_code: True loads formats that can run code (pickle, joblib, pt2), in the
            sandbox, once the model check has passed them.
        accept_missing_walls: True loads them even where the kernel lacks a wall.
    """

    path: Path
    sha256: Sha256 | UnsetType = UNSET
    architecture: Annotated[str, Meta(pattern=r"^[\w./-]+:[A-Za-z_]\w*$")] | UnsetType = UNSET
    arguments: dict[str, Plain | list[Plain]] = msgspec.field(default_factory=dict)
    shape: Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(max_length=7)] = ()
    trusted_types: tuple[Word, ...] = ()
    accept_code: bool = False
    accept_missing_walls: bool = False


class DataFile(Section, frozen=True):
    """A data file that stands beside the evaluation data, with the same columns.

    Attributes:
        path: An ``.npz``, ``.npy``, ``.csv`` or ``.parquet`` file.
        sha256: If given, another digest is an error.
    """

    path: Path
    sha256: Sha256 | UnsetType = UNSET


class Column(Section, frozen=True):
    """What an attacker, or a corruption, must respect about one feature.

    Attributes:
        name: Of the column; for arrays, its index as a text.
        range: Smallest and largest value; `data.range` is the default.
        mutable: False where an attacker cannot change it.
        integer: True where only whole numbers occur.
        monotone: The only direction in which an attacker can move it.
        categorical: True where its numbers are codes of categories.
    """

    name: Word
    range: tuple[float, float] | UnsetType = UNSET
    mutable: bool = True
    integer: bool = False
    monotone: Literal["increasing", "decreasing"] | UnsetType = UNSET
    categorical: bool = False


class Data(Section, frozen=True):
    """The data that it is assessed on.

    Attributes:
        path: An ``.npz``, ``.npy``, ``.csv`` or ``.parquet`` file.
        label: Array name or column of the label.
        features: Array name (npz), or columns (csv, parquet; the default is all but the
            label and those that name groups).
        kind: What the features are: ``numbers``, or ``text`` for a model that reads texts.
        range: Smallest and largest value that a feature can take.
        sha256: If given, another digest is an error.
        limit: Use at most so many samples, drawn with the seed.
        columns: What is known about single features.
        image: Height and width of images that the file holds as flat rows, with their
            channels before or behind where there are several.
        missing: ``error`` refuses features without a value; ``allow`` hands them to the
            model, as NaN.
    """

    path: Path
    label: Word
    features: Columns | UnsetType = UNSET
    kind: Literal["numbers", "text"] = "numbers"
    range: tuple[float, float] | UnsetType = UNSET
    sha256: Sha256 | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    columns: tuple[Column, ...] = ()
    image: Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(min_length=2, max_length=3)] | UnsetType = (
        UNSET
    )
    missing: Literal["error", "allow"] = "error"


class Bound(Section, frozen=True):
    """What a figure must keep to.

    Attributes:
        min: It must not lie below.
        max: It must not lie above.
    """

    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET


class Ceiling(Section, frozen=True):
    """What a figure must not exceed.

    Attributes:
        max: It must not lie above.
    """

    max: Annotated[float, Meta(ge=0)]


class Corruption(Section, frozen=True):
    """What is asked under one corruption.

    Attributes:
        severity: How strong it is, 1 to 5.
        max_drop: The figure may fall by so much from the clean data.
        min: The figure must not lie below.
    """

    severity: Annotated[int, Meta(ge=1, le=5)] = 3
    max_drop: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    min: float | UnsetType = UNSET


if TYPE_CHECKING:
    AttackName = str

    class Performance(Section, frozen=True):
        """How well the model must do: a bound for every metric that is asked for."""

    class Subgroups(Section, frozen=True):
        """How well it must do in every subgroup.

        Attributes:
            by: The columns or arrays whose values make the subgroups.
            min_samples: Smaller subgroups are "not checked".
        """

        by: Columns
        min_samples: int

    class Fairness(Section, frozen=True):
        """How differently it may treat groups.

        Attributes:
            group: The columns or arrays that name each sample's group, each compared by itself.
            positive: The label that counts as the favourable one; of two classes the second.
            min_samples: Smaller groups are "not checked".
        """

        group: Columns
        positive: Word | int | UnsetType
        min_samples: int

    class Corruptions(Section, frozen=True):
        """What is asked when its input is corrupted."""

else:
    AttackName = _open.words(f"{_FOLDER}/attacks")
    Performance = _open.section("Performance", f"{_FOLDER}/metrics", Bound)
    Subgroups = _open.section(
        "Subgroups",
        f"{_FOLDER}/metrics",
        Bound,
        [("by", Columns), ("min_samples", Annotated[int, Meta(ge=1)], 20)],
    )
    Fairness = _open.section(
        "Fairness",
        f"{_FOLDER}/fairness",
        Bound,
        [
            ("group", Columns),
            ("positive", Word | int | UnsetType, UNSET),
            ("min_samples", Annotated[int, Meta(ge=1)], 20),
        ],
    )
    Corruptions = _open.section("Corruptions", f"{_FOLDER}/corruptions", Corruption)


class Robustness(Section, frozen=True):
    """How well the model must withstand an attacker.

    Attributes:
        epsilon: Radius of the ball around each sample, in the unit that `scale` says.
        min_accuracy: Robust accuracy below it fails the run.
        norm: The ball's norm.
        scale: Unit of epsilon: the features' own (``absolute``), each feature's standard
            deviation in the data (``std``), or the width of its range (``range``).
        attacks: Which attacks run, each on the samples that the ones before left
            standing; the default is what suits the model. Where gradients lead, the
            Square attack follows, named or not.
        confidence: Of the confidence sequence that decides when to stop.
        queries: Most model queries a black-box attack may spend on one sample.
        budget_seconds: Wall time after which the assessment ends as inconclusive.
        budget_queries: Forward passes after which it does.
        seed: Seed of every random choice.
        masked: What a robustness that only misled attacks show does to the run.
        curve: Further epsilons, measured to be drawn and never to decide.
    """

    epsilon: Annotated[float, Meta(gt=0)]
    min_accuracy: Share
    norm: Literal["linf", "l2"] = "linf"
    scale: Literal["absolute", "std", "range"] = "absolute"
    attacks: Annotated[tuple[AttackName, ...], Meta(min_length=1)] | UnsetType = UNSET
    confidence: Confidence | UnsetType = UNSET
    queries: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    budget_seconds: Annotated[float, Meta(gt=0)] = 120.0
    budget_queries: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    seed: Seed | UnsetType = UNSET
    masked: Literal["fail", "undecided", "warn"] = "fail"
    curve: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(max_length=20)] = ()


class Baseline(Section, frozen=True):
    """The model that this one must not fall behind, on the same data.

    Attributes:
        model: The other model.
        max_drop: Accuracy (or, in a regression, error) may be worse by so much.
    """

    model: ModelFile
    max_drop: Annotated[float, Meta(ge=0)] = 0.0


class Labels(Section, frozen=True):
    """How many labels of the data may be wrong.

    Attributes:
        max_share: Largest acceptable share of likely label errors.
    """

    max_share: Share


class Drift(Section, frozen=True):
    """How far the evaluation data may lie from the reference data.

    Attributes:
        reference: Usually the training data.
        psi: Bound of the largest population stability index of a feature.
        ks: Bound of the largest Kolmogorov-Smirnov statistic of a feature.
    """

    reference: DataFile
    psi: Ceiling | UnsetType = UNSET
    ks: Ceiling | UnsetType = UNSET


class Poisoning(Section, frozen=True):
    """Scans for poisoned data and back doors: reported, never blocking.

    Attributes:
        reference: Training data to scan; the default is the evaluation data.
    """

    reference: DataFile | UnsetType = UNSET


class Assessment(Section, frozen=True):
    """One model, its data, and what is asked of it.

    Attributes:
        name: Chosen by the user; names the figures in reports.
        model: The model file.
        data: The data file.
        task: What the model does.
        confidence: Of every interval.
        seed: Of every random choice.
        performance: Bounds on clean data.
        subgroups: Bounds in every subgroup.
        corruptions: What is asked when the input is corrupted.
        fairness: How differently groups may be treated.
        baseline: A model that this one must not fall behind.
        labels: How many labels may be wrong.
        drift: How far the data may lie from reference data.
        poisoning: Scans that are reported and never block.
        robustness: Bounds under attack.
    """

    name: Annotated[str, Meta(pattern=r"^[\w][\w.-]{0,99}$")]
    model: ModelFile
    data: Data
    task: Literal["classification", "regression"] = "classification"
    confidence: Confidence = 0.95
    seed: Seed = 0
    performance: Performance | UnsetType = UNSET
    subgroups: Subgroups | UnsetType = UNSET
    corruptions: Corruptions | UnsetType = UNSET
    fairness: Fairness | UnsetType = UNSET
    baseline: Baseline | UnsetType = UNSET
    labels: Labels | UnsetType = UNSET
    drift: Drift | UnsetType = UNSET
    poisoning: Poisoning | UnsetType = UNSET
    robustness: Robustness | UnsetType = UNSET
