"""Random numbers that depend on nothing but what they are for.

Each number is a hash of the seed, the sample, the step and a counter, so it is the same
whichever samples are attacked together. The hash is SplitMix64's finaliser (Steele, Lea
and Flood 2014), applied once for each part of the key.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def _mix(value: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    value = value + _GOLDEN
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


class Stream:
    """One stream of random numbers for each of n samples.

    Args:
        seed: Of the run.
        ids: [n] Each sample's own number.
    """

    def __init__(self, seed: int, ids: "NDArray[np.int64]") -> None:
        self._keys = _mix(_mix(np.full(1, seed, np.uint64)) ^ ids.astype(np.uint64))

    def bits(self, samples: "NDArray[np.int64]", step: int, count: int) -> "NDArray[np.uint64]":
        """Return [len(samples), count] words for the samples at these positions."""
        at_step = _mix(self._keys[samples] ^ np.uint64(step))
        return _mix(at_step[:, None] ^ np.arange(count, dtype=np.uint64))


def below(words: "NDArray[np.uint64]", limit: int) -> "NDArray[np.int64]":
    """Turn words into numbers from 0 to ``limit`` - 1; the bias is under limit / 2**32."""
    return ((words >> np.uint64(32)) * np.uint64(limit) >> np.uint64(32)).astype(np.int64)


def coins(words: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    """Turn words into fair coins."""
    return (words >> np.uint64(63)).astype(np.bool_)


def uniforms(words: "NDArray[np.uint64]") -> "NDArray[np.float64]":
    """Turn words into numbers from 0 to 1, 1 excluded."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normals(words: "NDArray[np.uint64]") -> "NDArray[np.float64]":
    """Turn words into standard normal numbers (Box and Muller 1958), one each."""
    radius = np.sqrt(-2 * np.log(1 - uniforms(words)))
    angle: NDArray[np.float64] = radius * np.cos(2 * np.pi * uniforms(_mix(words)))
    return angle
