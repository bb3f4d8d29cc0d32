"""What a model is to an assessment: features in, scores out.

A loader is a module of :mod:`mlgate.checks.assessment.loaders` with the members of
:class:`Loader`. Its ``prepare``, ``load`` and all that a model does run only inside the
sandbox; the gate believes nothing of what comes out.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]


Plain: TypeAlias = bool | int | float | str | None


class Signature(Struct, frozen=True):
    """What a model wants.

    Attributes:
        shape: Of the input, batch first; None stands for any length.
        dtype: ``float32``, ``float64`` or ``text``.
        offers: What the model can do beside scoring: ``gradients`` (:meth:`Model.follow` and
            :meth:`Model.pull`),
            ``trees`` (:meth:`Model.trees`).
        names: Of its features, where the model tells them.
    """

    shape: tuple[int | None, ...]
    dtype: str
    offers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Scores(Struct, frozen=True):
    """What a model answers.

    Attributes:
        values: One row a sample, one column a class: [n, k]. The largest wins. A single
            column is the second of two classes.
        classes: The classes' names by column, where the model tells them.
    """

    values: "Floats"
    classes: tuple[int | str, ...] | None = None


class Request(Struct, frozen=True):
    """What a loader is told beside the model's bytes: plain values.

    Attributes:
        task: ``classification`` or ``regression``.
        architecture: ``module:factory`` for weights that need one, or None.
        arguments: Keyword arguments of the factory.
        sources: The repository's Python files that the factory may import, by path.
        trusted_types: Types that a skops file may hold beside those that skops trusts.
        accept_code: Whether the policy accepts a format that can run code.
        shape: Of one sample of the data, for models that do not say what they want.
    """

    task: str = "classification"
    architecture: str | None = None
    arguments: Mapping[str, Plain | list[Plain]] = {}
    sources: Mapping[str, str] = {}
    trusted_types: tuple[str, ...] = ()
    accept_code: bool = False
    shape: tuple[int, ...] = ()


class Model(Protocol):
    """A loaded model.

    What it need not offer, it need not have: see :attr:`Signature.offers`.
    """

    signature: Signature

    def predict(self, x: "Floats") -> Scores:
        """Score samples [n, ...] of the signature's shape and dtype.

        In a regression the scores are the predicted values, [n, k].

        Raises:
            mlgate.checks.assessment.problems.Unassessable: The model cannot.
        """
        ...

    def follow(self, x: "Floats") -> Scores:
        """Score samples as :meth:`predict` does, and keep what a :meth:`pull` needs."""
        ...

    def pull(self, weights: "Floats") -> "Floats":
        """Return the gradient, at the samples last followed, of their weighted scores.

        Args:
            weights: [n, k] How much each score counts.

        Returns:
            [n, ...] The gradient of ``(scores * weights).sum()`` with respect to the
            samples: the vector-Jacobian product, from which the gate makes the gradient
            of any loss with one forward and one backward pass.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: The model cannot.
        """
        ...

    def trees(self) -> Mapping[str, "NDArray[Any]"]:
        """Return the ensemble's structure as named arrays: see :mod:`.structure`."""
        ...

    def columns(self, names: "Sequence[str]") -> Mapping[str, "NDArray[Any]"]:
        """Return columns of a table as named arrays: only where a table is read and no model."""
        ...


class Loader(Protocol):
    """What a module of ``loaders`` provides.

    Attributes:
        FORMAT: The format's name.
        REQUIRES: Packages of an extra that it imports.
        EXTRA: The extra that brings them.
        MAX_BYTES: Size of the largest file that it can load.
        CODE: True where loading can run code that the file holds: the policy must
            accept it, and every wall must stand.
        TWIN: Name of a loader that can read the same bytes and offers gradients, where
            this one does not; None otherwise. What the twin answers counts only where it
            agrees with this one on the data.
    """

    FORMAT: str
    REQUIRES: tuple[str, ...]
    EXTRA: str
    MAX_BYTES: int
    CODE: bool
    TWIN: str | None

    def claims(self, data: bytes) -> bool:
        """Say whether a file may be of this format, from its bytes. Cheap and total.

        A module that is only another one's twin claims nothing.
        """
        ...

    def prepare(self, request: Request) -> None:
        """Import all that loading and predicting need: afterwards no file opens."""
        ...

    def load(self, data: bytes, request: Request) -> Model:
        """Load a model from its bytes.

        Raises:
            mlgate.checks.assessment.problems.Unassessable: It cannot be loaded, or is
                not a model with one input and one set of scores.
        """
        ...
