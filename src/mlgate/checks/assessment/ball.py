"""Where a changed sample may lie: a ball around each sample, cut to what its features allow.

All bounds are exact in the samples' dtype: they are computed in float64 and rounded
inwards, so that no number between them is further from the sample than epsilon, or
outside the features' ranges.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

_BISECTIONS = 60


class Features(Struct, frozen=True):
    """What is known about the features of one sample, each [...] like a sample or None.

    Attributes:
        low: Smallest values.
        high: Largest values.
        fixed: True where an attacker cannot change a feature.
        rising: True where an attacker can only make it larger.
        falling: True where an attacker can only make it smaller.
        integer: True where only whole numbers occur.
        scale: Unit of epsilon; features without spread cannot change.
    """

    low: "NDArray[Any] | None" = None
    high: "NDArray[Any] | None" = None
    fixed: "NDArray[np.bool_] | None" = None
    rising: "NDArray[np.bool_] | None" = None
    falling: "NDArray[np.bool_] | None" = None
    integer: "NDArray[np.bool_] | None" = None
    scale: "NDArray[np.float64] | None" = None


class Ball(Struct, frozen=True):
    """The allowed changes of n samples.

    Attributes:
        x: Samples [n, ...].
        low: Smallest values, of the same shape.
        high: Largest values, of the same shape.
        norm: ``linf``: everything between the bounds is inside. ``l2``: what lies
            between them and no further away than ``epsilon``.
        epsilon: The radius.
        features: What is known about the features.
    """

    x: "Floats"
    low: "Floats"
    high: "Floats"
    norm: str
    epsilon: float
    features: Features = Features()

    def part(self, rows: "NDArray[Any]") -> "Ball":
        """Return the ball of some of the samples: ``rows`` are indices or truth values."""
        return Ball(self.x[rows], self.low[rows], self.high[rows], self.norm, self.epsilon, self.features)

    def project(self, x: "Floats") -> "Floats":
        """Return the nearest allowed samples [n, ...], in the samples' dtype.

        For ``l2`` between bounds the nearest point is found along the way back to the
        sample: shrunk first, then clipped, which never leaves either set. Whole numbers
        are rounded towards the sample, so that they stay inside.
        """
        center = self.x.astype(np.float64)
        step = x.astype(np.float64) - center
        if self.norm == "l2":
            step = np.clip(step, self.low - center, self.high - center)
            length = _lengths(self._scaled(step))
            over = length > self.epsilon
            step[over] *= (self.epsilon / length[over]).reshape(-1, *[1] * (step.ndim - 1))
        moved = center + step
        if self.features.integer is not None:
            whole = np.where(step > 0, np.floor(moved), np.ceil(moved))
            # An honest sample's own value stays, whole or not.
            inward = (whole - center) * step >= 0
            moved = np.where(self.features.integer, np.where(inward, whole, center), moved)
        given = np.clip(moved.astype(self.x.dtype), self.low, self.high)
        return self._inside(given) if self.norm == "l2" else given

    def holds(self, x: "Floats") -> "NDArray[np.bool_]":
        """Say which samples [n, ...] are allowed."""
        axes = tuple(range(1, x.ndim))
        inside: Any = ((x >= self.low) & (x <= self.high)).all(axis=axes)
        center = self.x.astype(np.float64)
        if self.norm == "l2":
            inside &= _lengths(self._scaled(x.astype(np.float64) - center)) <= self.epsilon
        if self.features.integer is not None:
            whole = (x == np.round(x)) | (x == self.x) | ~self.features.integer
            inside &= whole.all(axis=axes)
        found: NDArray[np.bool_] = inside
        return found

    def _scaled(self, step: "NDArray[np.float64]") -> "NDArray[np.float64]":
        scale = self.features.scale
        return step if scale is None else step / np.where(scale > 0, scale, 1)

    def _inside(self, x: "Floats") -> "Floats":
        """Pull samples that rounding left outside back by the smallest steps that do."""
        outside = ~self.holds(x)
        factor = 1.0
        for _ in range(_BISECTIONS):
            if not outside.any():
                break
            factor -= 2.0**-22
            part = self.part(outside)
            center = part.x.astype(np.float64)
            moved = center + (x[outside].astype(np.float64) - center) * factor
            if self.features.integer is not None:
                moved = np.where(self.features.integer, x[outside], moved)
            x = x.copy()
            x[outside] = np.clip(moved.astype(x.dtype), part.low, part.high)
            outside = ~self.holds(x)
        return np.where(outside.reshape(-1, *[1] * (x.ndim - 1)), self.x, x)


def around(x: "Floats", epsilon: float, norm: str = "linf", features: Features | None = None) -> Ball:
    """Return the ball around samples [n, ...], cut to what their features allow."""
    known = features or Features()
    center = x.astype(np.float64)
    most = np.finfo(x.dtype).max
    reach = epsilon if known.scale is None else epsilon * known.scale
    low, high = (_edge(x, np.clip(center + sign * reach, -most, most), sign) for sign in (-1, 1))
    if known.low is not None:
        low = np.maximum(low, known.low)
    if known.high is not None:
        high = np.minimum(high, known.high)
    still = np.zeros(x.shape[1:], np.bool_) if known.fixed is None else known.fixed
    if known.rising is not None or known.fixed is not None:
        low = np.where(still if known.rising is None else still | known.rising, x, low)
    if known.falling is not None or known.fixed is not None:
        high = np.where(still if known.falling is None else still | known.falling, x, high)
    if known.integer is not None:
        # A whole number cannot lie between the last one inside and the edge.
        low = np.where(known.integer, np.minimum(np.ceil(low), x), low)
        high = np.where(known.integer, np.maximum(np.floor(high), x), high)
    low, high = low.astype(x.dtype), high.astype(x.dtype)
    for bound in (low, high):
        bound.flags.writeable = False
    return Ball(x, low, high, norm, epsilon, known)


def _edge(x: "Floats", exact: "NDArray[np.float64]", sign: int) -> "Floats":
    edge = exact.astype(x.dtype)
    return np.where(sign * (edge.astype(np.float64) - exact) > 0, np.nextafter(edge, x), edge)


def _lengths(step: "NDArray[np.float64]") -> "NDArray[np.float64]":
    flat: NDArray[np.float64] = np.sqrt((step.reshape(len(step), -1) ** 2).sum(axis=1))
    return flat
