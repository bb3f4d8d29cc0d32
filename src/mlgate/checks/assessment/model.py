"""What a model is to an assessment: features in, scores out.

A loader is a module of :mod:`mlgate.checks.assessment.loaders` with the members of
:class:`Loader`. Its ``load`` and ``predict`` run only inside the sandbox.
"""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]


class Signature(Struct, frozen=True):
    """What a model wants.

    Attributes:
        shape: Of the input, batch first; None stands for any length.
        dtype: ``float32`` or ``float64``.
    """

    shape: tuple[int | None, ...]
    dtype: str


class Scores(Struct, frozen=True):
    """What a model answers.

    Attributes:
        values: One row a sample, one column a class: [n, k]. The largest wins. A single
            column is the second of two classes.
        classes: The classes' names by column, where the model tells them.
    """

    values: "Floats"
    classes: tuple[int | str, ...] | None = None


class Model(Protocol):
    """A loaded model."""

    signature: Signature

    def predict(self, x: "Floats") -> Scores:
        """Score samples [n, ...] of the signature's shape and dtype.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: The model cannot.
        """
        ...


class Loader(Protocol):
    """What a module of ``loaders`` provides.

    Attributes:
        FORMAT: The format's name.
        REQUIRES: Packages of an extra that it imports.
        EXTRA: The extra that brings them.
        MAX_BYTES: Size of the largest file that it can load.
    """

    FORMAT: str
    REQUIRES: tuple[str, ...]
    EXTRA: str
    MAX_BYTES: int

    def claims(self, head: bytes) -> bool:
        """Say whether a file that begins so may be of this format. Cheap and total."""
        ...

    def prepare(self) -> None:
        """Import all that loading and predicting need: afterwards no file opens."""
        ...

    def load(self, data: bytes) -> Model:
        """Load a model from its bytes.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: It cannot be loaded, or is
                not a classifier with one input and one set of scores.
        """
        ...
