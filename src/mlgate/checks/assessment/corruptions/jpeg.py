"""JPEG compression: blocks of 8 by 8, rounded as the standard's table for brightness says.

Each channel is compressed by itself, without the files' entropy coding, which loses nothing.
Sources: ITU-T T.81, table K.1; Hendrycks and Dietterich (2019), arXiv:1903.12261, with their
parameters for small images.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.corruption import Material

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("image",)
MEANING = "quality 80, 65, 58, 50, 40"

_QUALITY = (80, 65, 58, 50, 40)
_SIZE = 8
_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
_STEPS = np.arange(_SIZE)
# The orthonormal discrete cosine transform: a frequency a row.
_COSINES = np.cos(np.pi * (2 * _STEPS + 1) * _STEPS[:, None] / (2 * _SIZE)) * np.sqrt(2 / _SIZE)
_COSINES[0] /= np.sqrt(2)


def corrupt(material: Material, severity: int, _rng: np.random.Generator) -> "NDArray[Any]":
    """Corrupt; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
    n, height, width, channels = material.x.shape
    padding = [(0, 0), (0, -height % _SIZE), (0, -width % _SIZE), (0, 0)]
    padded = np.pad(material.x * 255 - 128, padding, mode="edge")
    tall, wide = padded.shape[1] // _SIZE, padded.shape[2] // _SIZE
    blocks = padded.reshape(n, tall, _SIZE, wide, _SIZE, channels).transpose(0, 1, 3, 5, 2, 4)
    table = _table(_QUALITY[severity - 1])
    rounded = np.round(_COSINES @ blocks @ _COSINES.T / table) * table
    back = (_COSINES.T @ rounded @ _COSINES).transpose(0, 1, 4, 2, 5, 3).reshape(padded.shape)
    return np.asarray((np.round(back[:, :height, :width]) + 128) / 255)


def _table(quality: int) -> "NDArray[Any]":
    """Scale the table as the Independent JPEG Group's library does."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((_TABLE * scale + 50) / 100), 1, 255)
