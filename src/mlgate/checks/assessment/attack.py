"""What an attack is: a search for changed samples that the model gets wrong.

An attack is a module of :mod:`mlgate.checks.assessment.attacks` with the members of
:class:`Attack`. What it claims is never believed: every sample is checked again
outside it (see :mod:`mlgate.checks.assessment.robustness`).
"""

from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

    # From samples [n, ...] to finite scores [n, k], k at least 2. Raises where the
    # budget is spent or the model fails; an attack lets that pass.
    Predict: TypeAlias = Callable[[Floats], Floats]


class Ball(Struct, frozen=True):
    """Where changed samples may lie, bounds included.

    Both bounds are exact in the samples' dtype: no number between them is further from
    the sample than epsilon or outside the data's range.

    Attributes:
        x: Samples [n, ...].
        low: Smallest values, of the same shape.
        high: Largest values, of the same shape.
    """

    x: "Floats"
    low: "Floats"
    high: "Floats"


class Effort(Struct, frozen=True):
    """What an attack may spend, and what its choices rest on.

    Attributes:
        queries: Most model queries for one sample.
        seed: Of every random choice.
        ids: [n] Each sample's number in the data: with the seed it settles that
            sample's choices, so that neither order nor company changes a result.
    """

    queries: int
    seed: int
    ids: "NDArray[np.int64]"


class Attempt(Struct, frozen=True):
    """What an attack came to.

    Attributes:
        x: [n, ...] The best changed samples, within the ball.
        broken: [n] True where the attack claims that the model gets them wrong.
        queries: [n] Spent on each sample.
    """

    x: "Floats"
    broken: "NDArray[np.bool_]"
    queries: "NDArray[np.int64]"


class Attack(Protocol):
    """What a module of ``attacks`` provides.

    Attributes:
        NAME: In the policy's ``attacks``.
        NORMS: Balls that it can search: ``linf``.
        BLACK_BOX: True where it sees scores only: then the figure is an upper bound of
            the robust accuracy that a stronger attacker would leave.
    """

    NAME: str
    NORMS: tuple[str, ...]
    BLACK_BOX: bool

    def run(self, predict: "Predict", ball: Ball, labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
        """Search the ball for samples whose top score is not the label's.

        Args:
            predict: The model.
            ball: Around samples that the model gets right.
            labels: [n] Columns of the right classes.
            effort: Limits and seeds.
        """
        ...
