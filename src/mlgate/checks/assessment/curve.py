"""Robust accuracy at further epsilons, on samples that were attacked already.

Nothing here decides. A sample that breaks at one epsilon breaks at every larger one, and one
that withstands attacks at one epsilon withstands them at every smaller one, whose ball lies
inside: so each epsilon asks only about the samples that its neighbours leave open.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# From an epsilon and the positions of samples to those among them that withstand.
Attacks = Callable[[float, "NDArray[np.int64]"], "NDArray[np.int64]"]


class Point(Struct, frozen=True):
    """How many samples withstand at one epsilon.

    Attributes:
        epsilon: Radius of the balls.
        successes: Samples that withstand.
    """

    epsilon: float
    successes: int


def follow(
    epsilons: "Sequence[float]",
    known: float,
    standing: "NDArray[np.int64]",
    broken: "NDArray[np.int64]",
    attacks: Attacks,
) -> Iterator[Point]:
    """Yield a point for every epsilon but the known one: above it upwards, then below it downwards.

    Args:
        epsilons: In any order.
        known: The epsilon at which the samples were attacked.
        standing: Positions of the samples that withstood there.
        broken: Of those that broke there and are right unattacked.
        attacks: Attack samples at an epsilon.
    """
    wanted = sorted({epsilon for epsilon in epsilons if epsilon != known})
    left = standing
    for epsilon in (each for each in wanted if each > known):
        left = attacks(epsilon, left) if len(left) else left
        yield Point(epsilon, len(left))
    stands, left = len(standing), broken
    for epsilon in (each for each in reversed(wanted) if each < known):
        withstood = attacks(epsilon, left) if len(left) else left
        left = np.setdiff1d(left, withstood)
        stands += len(withstood)
        yield Point(epsilon, stands)
