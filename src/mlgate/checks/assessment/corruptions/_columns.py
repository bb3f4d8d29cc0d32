"""Which numbers of a table are corrupted."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from numpy.typing import NDArray


def drawn(material: Material, rng: np.random.Generator) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Draw one column of numbers, not of categories, for each sample: their rows and columns.

    Raises:
        Unassessable: Every column holds categories.
    """
    places = np.flatnonzero(~material.categorical)
    if not len(places):
        raise Unassessable("no-number", "every column is said to be categorical", "data.columns")
    n = len(material.x)
    return np.arange(n), rng.choice(places, n)
