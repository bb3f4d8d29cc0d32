"""What models that are tree ensembles share: a structure that they may or may not open."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._forest import NoTrees
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

# What goes wrong where a structure is damaged, or its reader wants what a sandbox denies.
_NOT_READ = (
    *(NoTrees, ArithmeticError, AttributeError, ImportError, IndexError, KeyError),
    *(OSError, TypeError, ValueError),
)


class Ensemble:
    """A model with or without trees that can be opened.

    Attributes:
        forest: The structure's arrays, or None.
    """

    forest: "Mapping[str, NDArray[Any]] | None" = None

    @property
    def offers(self) -> tuple[str, ...]:
        """What a signature says of it."""
        return () if self.forest is None else ("trees",)

    def trees(self) -> "Mapping[str, NDArray[Any]]":
        """Return the structure: see :mod:`mlgate.checks.assessment.structure`."""
        if self.forest is None:
            raise Unassessable("model-output", "the model has no trees that can be opened")
        return self.forest


def opened(read: "Callable[[], Mapping[str, NDArray[Any]]]") -> "Mapping[str, NDArray[Any]] | None":
    """Return what ``read`` makes of a structure; None where it is of another kind, or damaged.

    The model is then scored like any other, and attacked instead of verified.
    """
    try:
        with np.errstate(all="ignore"):
            return read()
    except _NOT_READ:
        return None
