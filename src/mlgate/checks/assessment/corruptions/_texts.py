"""Texts, changed letter by letter."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def changed(x: "NDArray[Any]", change: Callable[[str], str]) -> "NDArray[Any]":
    """Return texts of the same shape, each of them changed."""
    made = np.empty(x.size, dtype=object)
    made[:] = [change(str(text)) for text in x.reshape(-1)]
    return made.reshape(x.shape)


def places(fitting: Sequence[bool], share: float, rng: np.random.Generator) -> "NDArray[np.int64]":
    """Draw where a text is changed: that share of the fitting letters, on average."""
    able = np.array(fitting, dtype=np.bool_)
    return np.flatnonzero(able & (rng.random(len(able)) < share))
