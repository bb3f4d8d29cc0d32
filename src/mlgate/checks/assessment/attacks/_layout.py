"""How the features of one sample neighbour each other."""

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from msgspec import Struct

from mlgate.checks.assessment.attacks._random import below

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Layout(Struct, frozen=True):
    """Samples as images of [channels, height, width].

    A sample without neighbourhoods has height 1 and one channel.

    Attributes:
        channels: Colours.
        height: Rows.
        width: Columns; the features, where there are no neighbourhoods.
        last: True where channels come last in the sample.
    """

    channels: int
    height: int
    width: int
    last: bool = False

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Self:
        """Return the layout of samples of a shape: images are [c, h, w], [h, w, c] or [h, w]."""
        if len(shape) == 3 and min(shape[:2]) > 1 and shape[2] < shape[0]:
            return cls(shape[2], shape[0], shape[1], last=True)
        if len(shape) == 3 and min(shape[1:]) > 1:
            return cls(*shape)
        if len(shape) == 2 and min(shape) > 1:
            return cls(1, *shape)
        return cls(1, 1, math.prod(shape))

    def grid(self, values: "NDArray[Any]") -> "NDArray[Any]":
        """Bring features [n, ...] to [n, channels, height, width]."""
        if self.last:
            return values.reshape(-1, self.height, self.width, self.channels).transpose(0, 3, 1, 2)
        return values.reshape(-1, self.channels, self.height, self.width)

    def flat(self, grid: "NDArray[Any]") -> "NDArray[Any]":
        """Bring [n, channels, height, width] back to features [n, channels * height * width]."""
        if self.last:
            grid = grid.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(grid).reshape(len(grid), -1)

    def squares(self, words: "NDArray[np.uint64]", side: int) -> "NDArray[np.bool_]":
        """Return a random square of each image: [n, height, width], True inside.

        Args:
            words: [n, 2 or more] Random words.
            side: No longer than height and width.
        """
        top = below(words[:, 0], self.height - side + 1)[:, None]
        left = below(words[:, 1], self.width - side + 1)[:, None]
        down, right = np.arange(self.height) - top, np.arange(self.width) - left
        inside: NDArray[np.bool_] = ((down >= 0) & (down < side))[:, :, None] & (
            (right >= 0) & (right < side)
        )[:, None, :]
        return inside
