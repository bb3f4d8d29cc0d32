"""Where a changed sample may lie: a ball around each sample, cut to what its features allow.

All bounds are exact in the samples' dtype: they are computed in float64 and rounded
inwards, so that no number between them is further from the sample than epsilon, or
outside the features' ranges. A sample itself is always allowed.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

# Factors settle within a few rounds; a factor that has not yet is too small, which is allowed.
_ROUNDS = 60
_SETTLED = 1e-12
# Radius that a shrunk sample gets: what rounding adds stays below epsilon.
_INWARDS = 1 - 2.0**-40
_FURTHEST = 1e150  # its square is a finite number


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

    @property
    def free(self) -> bool:
        """True where every feature can move both ways."""
        return self.fixed is None and self.rising is None and self.falling is None


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

    @property
    def relaxed(self) -> "Ball":
        """The same ball where whole numbers need not be whole: gradients follow small steps."""
        if self.features.integer is None:
            return self
        return replace(self, features=replace(self.features, integer=None))

    @property
    def movable(self) -> "NDArray[np.bool_]":
        """[n, ...] True where a feature can take another value."""
        found: NDArray[np.bool_] = self.low < self.high
        return found

    def part(self, rows: "NDArray[Any]") -> "Ball":
        """Return the ball of some of the samples: ``rows`` are indices or truth values."""
        return replace(self, x=self.x[rows], low=self.low[rows], high=self.high[rows])

    def step(self, direction: "Floats", length: "NDArray[np.float64] | float") -> "NDArray[np.float64]":
        """Return the step [n, ...] of a length that a gradient says is the steepest.

        Args:
            direction: [n, ...] The gradient; a step along none is none.
            length: [n] or one for all, in the unit of epsilon.
        """
        length = np.reshape(length, (-1, *[1] * (direction.ndim - 1)))
        movable = np.where(self.movable, direction, 0.0)
        if self.norm == "linf":
            corner: NDArray[np.float64] = np.sign(movable) * self.unit * length
            return corner
        scaled = movable * self.unit
        # Divided first by the largest, so that tiny gradients have a length too.
        most = np.abs(scaled).max(axis=tuple(range(1, scaled.ndim)), keepdims=True)
        scaled = np.divide(scaled, most, out=np.zeros_like(scaled), where=most > 0)
        norms = np.maximum(_lengths(scaled), 1e-12).reshape(-1, *[1] * (scaled.ndim - 1))
        step: NDArray[np.float64] = scaled / norms * length * self.unit
        return step

    def project(self, x: "Floats") -> "Floats":
        """Return allowed samples [n, ...] near ``x``, in the samples' dtype.

        Without whole numbers they are the nearest ones (up to rounding, which goes
        towards the sample), by the distance in which epsilon is said. Whole numbers are
        then found as :meth:`whole` says. What is allowed stays as it is.
        """
        given = np.clip(x.astype(self.x.dtype), self.low, self.high)
        if self.norm == "l2":
            over = _lengths(self.steps(given)) > self.epsilon
            if over.any():
                given[over] = _pulled(self.part(over), x[over])
        return self.whole(given)

    def whole(self, x: "Floats") -> "Floats":
        """Round samples [n, ...] of the relaxed ball where whole numbers must be.

        In ``linf`` to the nearest whole number inside; in ``l2`` towards the sample,
        so that no distance grows. A sample's own value stays, whole or not.
        """
        integer = self.features.integer
        if integer is None:
            return x
        if self.norm == "linf":
            return np.where(integer & (x != self.x), np.clip(np.rint(x), self.low, self.high), x)
        inwards = np.where(x > self.x, np.floor(x), np.ceil(x))
        between = (inwards - self.x) * (x - self.x) > 0
        return np.where(integer, np.where(between, inwards, self.x), x)

    def holds(self, x: "Floats") -> "NDArray[np.bool_]":
        """Say which samples [n, ...] are allowed: what is missing stays missing."""
        axes = tuple(range(1, x.ndim))
        missing = np.isnan(self.x) & np.isnan(x)
        inside: Any = (((x >= self.low) & (x <= self.high)) | missing).all(axis=axes)
        if self.norm == "l2":
            inside &= _lengths(self.steps(x)) <= self.epsilon
        if self.features.integer is not None:
            whole = (x == np.round(x)) | (x == self.x) | ~self.features.integer | missing
            inside &= whole.all(axis=axes)
        found: NDArray[np.bool_] = inside
        return found

    @property
    def unit(self) -> Any:
        """What epsilon is counted in: [...], or 1."""
        scale = self.features.scale
        return 1.0 if scale is None else np.where(scale > 0, scale, 1.0)

    def steps(self, x: "Floats") -> "NDArray[np.float64]":
        """Return how far samples [n, ...] lie from their own, in the unit of epsilon."""
        step: NDArray[np.float64] = (x.astype(np.float64) - self.x.astype(np.float64)) / self.unit
        return np.where(np.isnan(self.x) & np.isnan(x), 0.0, step)


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
        low = np.where(known.integer, np.ceil(low), low)
        high = np.where(known.integer, np.floor(high), high)
    low, high = np.minimum(low, x).astype(x.dtype), np.maximum(high, x).astype(x.dtype)
    for bound in (low, high):
        bound.flags.writeable = False
    return Ball(x, low, high, norm, epsilon, known)


def _edge(x: "Floats", exact: "NDArray[np.float64]", sign: int) -> "Floats":
    edge = exact.astype(x.dtype)
    return np.where(sign * (edge.astype(np.float64) - exact) > 0, np.nextafter(edge, x), edge)


def _pulled(ball: Ball, x: "Floats") -> "Floats":
    """Return the nearest points to samples beyond the radius, rounded towards the sample."""
    center = ball.x.astype(np.float64)
    step = ball.unit * _within(
        np.clip(ball.steps(x), -_FURTHEST, _FURTHEST),
        ball.steps(ball.low),
        ball.steps(ball.high),
        ball.epsilon * _INWARDS,
    )
    given = (center + step).astype(ball.x.dtype)
    beyond = np.abs(given.astype(np.float64) - center) > np.abs(step)
    inward: Floats = np.where(beyond, np.nextafter(given, ball.x), given)
    return inward.clip(ball.low, ball.high)


def _within(
    wanted: "NDArray[np.float64]", low: "NDArray[np.float64]", high: "NDArray[np.float64]", radius: float
) -> "NDArray[np.float64]":
    """Return the nearest steps between bounds and no longer than a radius.

    They are the wanted ones, shrunk by a factor and then clipped. With what is clipped held
    fast, the factor that gives the radius is known; a larger factor clips more, which only
    shortens. So the factors grow towards the right one and never beyond it.
    """
    axes = tuple(range(1, wanted.ndim))
    factor = (radius / _lengths(wanted)).reshape(-1, *[1] * len(axes))
    for _ in range(_ROUNDS):
        shrunk = wanted * factor
        found = np.clip(shrunk, low, high)
        free = found == shrunk
        rest = radius**2 - np.where(free, 0.0, found**2).sum(axis=axes, keepdims=True)
        loose = np.where(free, wanted**2, 0.0).sum(axis=axes, keepdims=True)
        larger = np.sqrt(np.divide(rest, loose, out=np.ones_like(rest), where=(loose > 0) & (rest > 0)))
        grown = np.maximum(factor, np.minimum(larger, 1.0))
        if (grown <= factor * (1 + _SETTLED)).all():
            break
        factor = np.where(loose > 0, grown, factor)
    return found


def _lengths(step: "NDArray[np.float64]") -> "NDArray[np.float64]":
    flat: NDArray[np.float64] = np.sqrt((step**2).sum(axis=tuple(range(1, step.ndim))))
    return flat
