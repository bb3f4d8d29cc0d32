"""The windows of the Square attack in the L2 ball.

Source: Andriushchenko et al. 2020, arXiv:1912.00049, algorithm 3 and the authors' code.
An image begins with tiles of a bumpy pattern. Each step moves the length that two random
windows hold, and what the radius leaves over, into the first of them: as the pattern,
added to what was there. Samples without neighbourhoods do the same with random sets of
features and a flat pattern of random signs.

Lengths are in the unit of epsilon.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from mlgate.checks.assessment.attacks._layout import Layout
from mlgate.checks.assessment.attacks._random import Stream, coins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.model import Floats

_TINY = 1e-12
_TILES = 5
_NARROWEST = 3


class Windows:
    """Proposals of changed samples in L2 balls.

    Args:
        ball: Of all samples.
    """

    def __init__(self, ball: "Ball") -> None:
        self._ball = ball
        self._layout = Layout.of(ball.x.shape[1:])
        self._unit = self._layout.grid(np.broadcast_to(ball.unit, ball.x.shape[1:])[None])
        self._images = min(self._layout.height, self._layout.width) >= _NARROWEST

    def begin(self, stream: Stream) -> "Floats":
        """Return [n, ...] samples with tiles of the pattern."""
        layout, n = self._layout, len(self._ball.x)
        everyone = np.arange(n)
        if not self._images:
            signs = np.where(coins(stream.bits(everyone, 0, self._ball.x[0].size)), 1.0, -1.0)
            return self._moved(everyone, layout.grid(signs))
        side = max(min(layout.height, layout.width) // _TILES, 1)
        rows, columns = layout.height // side, layout.width // side
        words = stream.bits(everyone, 0, layout.channels * rows * columns)
        signs = np.where(coins(words), 1.0, -1.0).reshape(n, layout.channels, rows, columns)
        bumps = np.kron(np.ones((rows, columns)), pattern(side))
        delta = np.zeros((n, layout.channels, layout.height, layout.width))
        tiles = signs.repeat(side, axis=2).repeat(side, axis=3) * bumps
        delta[:, :, : tiles.shape[2], : tiles.shape[3]] = tiles
        return self._moved(everyone, delta)

    def propose(
        self, x: "Floats", chosen: "NDArray[np.int64]", stream: Stream, step: int, part: float
    ) -> "Floats":
        """Return what to try next for the samples at these positions."""
        center = self._ball.x[chosen].astype(np.float64)
        delta = self._layout.grid(x[chosen] - center) / self._unit
        first, second, fresh = self._windows(chosen, stream, step, part)
        room = np.maximum(self._ball.epsilon**2 - (delta**2).sum(axis=(1, 2, 3)), 0.0)
        held = (np.where(first | second, delta, 0.0) ** 2).sum(axis=(2, 3))
        length = np.sqrt(held + (room / self._layout.channels)[:, None])[:, :, None, None]
        inside = np.where(first, delta, 0.0)
        mixed = np.where(first, fresh + inside / (_TINY + _norm(inside)), 0.0)
        moved = np.where(second & ~first, 0.0, delta)
        moved = np.where(first, mixed / (_TINY + _norm(mixed)) * length, moved)
        return self._moved(chosen, moved)

    def _windows(
        self, chosen: "NDArray[np.int64]", stream: Stream, step: int, part: float
    ) -> "tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]":
        """Return two windows [n, 1 or c, h, w] and what to put into the first, [n, c, h, w]."""
        layout = self._layout
        if not self._images:
            return self._sets(chosen, stream, step, part)
        words = stream.bits(chosen, step, 5 + layout.channels)
        side = max(round(math.sqrt(part * layout.height * layout.width)), _NARROWEST)
        side = min(side + 1 - side % 2, layout.height, layout.width)
        first, second = (layout.squares(words[:, at : at + 2], side) for at in (0, 2))
        bumps = pattern(side)
        turned = coins(words[:, 4])[:, None, None]
        tiles = np.where(turned, bumps.T, bumps)
        signs = np.where(coins(words[:, 5:]), 1.0, -1.0)[:, :, None, None]
        fresh = np.zeros((len(chosen), 1, layout.height, layout.width))
        fresh[:, 0][first] = tiles.reshape(-1)
        return first[:, None], second[:, None], fresh * signs

    def _sets(
        self, chosen: "NDArray[np.int64]", stream: Stream, step: int, part: float
    ) -> "tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]":
        size = self._ball.x[0].size
        words = stream.bits(chosen, step, 2 * size)
        movable = self._ball.movable[chosen].reshape(len(chosen), size)
        keys = np.where(movable, words[:, :size] >> np.uint64(1), np.uint64((1 << 64) - 1))
        count = min(max(round(part * int(movable.sum(axis=1).max())), 1), max(size // 2, 1))
        order = keys.argsort(axis=1)
        sets = np.zeros((2, len(chosen), size), np.bool_)
        for held, places in zip(sets, (order[:, :count], order[:, count : 2 * count]), strict=True):
            np.put_along_axis(held, places, True, axis=1)  # noqa: FBT003 - the value, not a switch
        signs = np.where(coins(words[:, size:]), 1.0, -1.0) / math.sqrt(count)
        first, second = (self._layout.grid(held) for held in sets)
        return first, second, np.where(first, self._layout.grid(signs), 0.0)

    def _moved(self, chosen: "NDArray[np.int64]", delta: "Floats") -> "Floats":
        """Return the samples, changed by as much of ``delta`` as fits the radius exactly."""
        ball = self._ball.part(chosen)
        delta = np.where(self._layout.grid(ball.movable), delta, 0.0)
        lengths = _TINY + np.sqrt((delta**2).sum(axis=(1, 2, 3), keepdims=True))
        delta = delta / lengths * ball.epsilon * self._unit
        step = self._layout.flat(delta).reshape(ball.x.shape)
        return ball.project(ball.x.astype(np.float64) + step)


def pattern(side: int) -> "NDArray[np.float64]":
    """Return the bumpy pattern of a square window: [side, side], of length 1.

    One half rises to its middle, the other one falls.
    """
    upper = side // 2
    bumps = np.zeros((side, side))
    bumps[:upper] = _bump(upper, side)
    bumps[upper:] = -_bump(side - upper, side)
    return bumps / np.linalg.norm(bumps)


def _bump(height: int, width: int) -> "NDArray[np.float64]":
    bump = np.zeros((height, width))
    row, column = height // 2, width // 2
    for ring in range(max(row, column) + 1):
        top, left = max(row - ring, 0), max(column - ring, 0)
        bump[top : row + ring + 1, left : column + ring + 1] += 1 / (ring + 1) ** 2
    length = np.linalg.norm(bump)
    return bump / length if length else bump


def _norm(delta: "Floats") -> "Floats":
    lengths: Floats = np.sqrt((delta**2).sum(axis=(2, 3), keepdims=True))
    return lengths
