"""What an attacker must respect, from what the policy says of the data.

Features that it calls immutable or categorical cannot change: codes of categories have no
distance, so a ball around them means nothing.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from mlgate.checks.assessment.ball import Features
from mlgate.checks.assessment.features import columns
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mlgate.checks.assessment.ball import Ball
    from mlgate.checks.assessment.measure import Subject

_AT_ONCE = 256


def features(subject: "Subject", scale: str = "absolute") -> Features:
    """Return what is known about the features, in the shape of one sample.

    Args:
        subject: Its data and its policy entry.
        scale: The policy's ``robustness.scale``.

    Raises:
        Unassessable: A feature has no value, so that there is no ball around it (trees that
            are verified take it for one that cannot change); or no feature can change, or
            none has a spread to be the unit of epsilon.
    """
    x, settings = subject.x, subject.entry.data
    if not np.isfinite(x).all() and getattr(subject.model, "trees", None) is None:
        raise Unassessable(
            "missing-value",
            f"{subject.dataset.name}: robustness needs a value for every feature of every sample; "
            "drop or fill what is missing",
            "robustness",
        )
    shape, size = x.shape[1:], int(np.prod(x.shape[1:]))
    known = columns(settings, subject.dataset.names, subject.dataset.x.shape[1:], subject.dataset.name)
    low, high = np.full(size, -np.inf), np.full(size, np.inf)
    if isinstance(settings.range, tuple):
        low[:], high[:] = settings.range
    flags = {name: np.zeros(size, np.bool_) for name in ("fixed", "rising", "falling", "integer")}
    for at, column in known.items():
        if isinstance(column.range, tuple):
            low[at], high[at] = column.range
        flags["fixed"][at] = not column.mutable or column.categorical
        flags["rising"][at] = column.monotone == "increasing"
        flags["falling"][at] = column.monotone == "decreasing"
        flags["integer"][at] = column.integer
    if flags["fixed"].all():
        raise Unassessable(
            "no-mutable-feature",
            "data.columns lets an attacker change no feature, so there is nothing to withstand",
            "data.columns",
        )
    most = np.finfo(x.dtype).max
    ends = [np.clip(end, -most, most).astype(x.dtype).reshape(shape) for end in (low, high)]
    unit = _unit(x.reshape(len(x), -1), low, high, flags["fixed"], scale)
    return Features(
        low=ends[0] if np.isfinite(low).any() else None,
        high=ends[1] if np.isfinite(high).any() else None,
        scale=None if unit is None else unit.reshape(shape),
        **{name: flag.reshape(shape) if flag.any() else None for name, flag in flags.items()},
    )


def _unit(x: Any, low: Any, high: Any, fixed: Any, scale: str) -> Any:
    if scale == "absolute":
        return None
    there = np.ma.masked_invalid(x)
    if scale == "std":
        unit = there.std(axis=0, dtype=np.float64).filled(0.0)
    else:
        seen = (there.max(axis=0).astype(np.float64) - there.min(axis=0)).filled(0.0)
        width = high - low
        unit = np.where(np.isfinite(width), width, seen)
    if not (unit[~fixed] > 0).any():
        raise Unassessable(
            "no-spread",
            f"robustness.scale is {scale}, and no feature that can be changed differs between samples",
            "robustness.scale",
        )
    return unit


def spread(x: Any, known: Features) -> Features:
    """Return features that may take any value of their ranges, or else of those seen in the data.

    The unit of epsilon is each feature's width, so that 1 reaches from any value to any other.
    """
    ends: list[NDArray[Any]] = []
    for end, seen in ((known.low, x.min(axis=0)), (known.high, x.max(axis=0))):
        if end is None:
            ends.append(seen)
        else:
            ends.append(np.where(np.abs(end) < np.finfo(end.dtype).max, end, seen))
    width = ends[1].astype(np.float64) - ends[0]
    return Features(low=ends[0], high=ends[1], integer=known.integer, scale=width)


def moves(x: Any, ball: "Callable[[NDArray[np.int64]], Ball]", epsilon: float) -> None:
    """See that an attacker can change any sample at all: a pass would show nothing otherwise.

    Args:
        x: [n, ...] The samples.
        ball: From positions of samples to what an attacker can make of them.
        epsilon: Radius of the ball, for the message.

    Raises:
        Unassessable: No feature of any sample can take another value.
    """
    places = np.arange(len(x))
    if any(ball(places[start : start + _AT_ONCE]).movable.any() for start in range(0, len(x), _AT_ONCE)):
        return
    raise Unassessable(
        "no-mutable-feature",
        f"within epsilon {epsilon:g} no feature of any sample can take another value: whole numbers, "
        "ranges or the precision of the model's numbers hold them fast; raise robustness.epsilon",
        "robustness.epsilon",
    )


def told(known: Features) -> dict[str, int]:
    """Return how many features an attacker finds bound, by how."""
    flags = {"fixed": known.fixed, "rising": known.rising, "falling": known.falling, "integer": known.integer}
    found = {name: int(flag.sum()) for name, flag in flags.items() if flag is not None}
    ranged = max(
        (
            int((np.abs(end) < np.finfo(end.dtype).max).sum())
            for end in (known.low, known.high)
            if end is not None
        ),
        default=0,
    )
    return {**found, "ranged": ranged} if ranged else found
