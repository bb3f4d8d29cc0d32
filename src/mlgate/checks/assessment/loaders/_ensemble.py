"""What models that are tree ensembles share: a structure that they may or may not open."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.loaders._forest import NoTrees, Uncovered
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

# What goes wrong where a structure is damaged, or its reader wants what a sandbox denies.
_NOT_READ = (
    *(ArithmeticError, AttributeError, ImportError, IndexError, KeyError),
    *(OSError, TypeError, ValueError),
)


class Ensemble:
    """A model with or without trees that can be opened.

    Attributes:
        forest: The structure's arrays; why it cannot be opened; or None where there are no trees.
    """

    forest: "Mapping[str, NDArray[Any]] | str | None" = None

    @property
    def offers(self) -> tuple[str, ...]:
        """What a signature says of it."""
        return () if self.forest is None else ("trees",)

    def trees(self) -> "Mapping[str, NDArray[Any]]":
        """Return the structure: see :mod:`mlgate.checks.assessment.structure`."""
        if self.forest is None or isinstance(self.forest, str):
            raise Unassessable(
                "model-output", f"the trees are not verified: {self.forest or 'there are none'}"
            )
        return self.forest


def opened(read: "Callable[[], Mapping[str, NDArray[Any]]]") -> "Mapping[str, NDArray[Any]] | str | None":
    """Return what ``read`` makes of a structure; why it cannot; or None where there are no trees.

    The model is then scored like any other, and attacked instead of verified.
    """
    try:
        with np.errstate(all="ignore"):
            return read()
    except Uncovered as error:
        return str(error)
    except NoTrees:
        return None
    except _NOT_READ:
        return "their structure cannot be read"
