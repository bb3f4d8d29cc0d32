"""Images seen through an affine map, by bilinear interpolation."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def resampled(x: "NDArray[Any]", turn: "NDArray[Any]", step: "NDArray[Any]") -> "NDArray[Any]":
    """Return images whose pixel at p shows what stood at ``turn @ (p - middle) + middle + step``.

    Beyond the edge an image goes on as it ends.

    Args:
        x: [n, height, width, channels].
        turn: [n, 2, 2] About the middle, rows before columns.
        step: [n, 2] In pixels.
    """
    n, height, width, _ = x.shape
    middle = np.array([height - 1, width - 1]) / 2
    places = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1) - middle
    source = np.einsum("nij,hwj->nhwi", turn, places) + middle + step[:, None, None]
    row, column = (np.clip(source[..., at], 0, side - 1) for at, side in enumerate((height, width)))
    top, left = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, over = (row - top)[..., None], (column - left)[..., None]
    image = np.arange(n)[:, None, None]
    upper = x[image, top, left] * (1 - over) + x[image, top, right] * over
    lower = x[image, bottom, left] * (1 - over) + x[image, bottom, right] * over
    mixed: NDArray[Any] = upper * (1 - down) + lower * down
    return mixed
