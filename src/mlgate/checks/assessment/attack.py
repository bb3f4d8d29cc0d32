"""What an attack is: a search for changed samples that the model gets wrong.

An attack is a module of :mod:`mlgate.checks.assessment.attacks` with the members of
:class:`Attack`. What it claims is never believed: every sample is checked again
outside it (see :mod:`mlgate.checks.assessment.cascade`).
"""

from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from mlgate.checks.assessment.ball import Ball

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.trees import Trees

    # From scores [n, k] of the samples at some rows to the loss of each, [n], and its
    # derivative by the scores, [n, k].
    Objective: TypeAlias = Callable[[Floats, slice | NDArray[np.int64]], tuple[Floats, Floats]]


class Effort(Struct, frozen=True):
    """What an attack may spend, and what its choices rest on.

    Attributes:
        queries: Most model queries a black-box attack may spend on one sample.
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
        queries: [n] Forward passes spent on each sample.
        proven: [n] True where the attack shows that the ball holds no sample that the model
            gets wrong; None where it cannot show such a thing.
        signals: Figures about the search itself that tell masked gradients from
            robustness, each a share or a mean over the samples: ``zero_gradients``, ...
    """

    x: "Floats"
    broken: "NDArray[np.bool_]"
    queries: "NDArray[np.int64]"
    signals: "dict[str, float]" = {}
    proven: "NDArray[np.bool_] | None" = None


class Victim(Protocol):
    """The model under attack, as an attack sees it.

    Attributes:
        trees: Its structure, where it is a tree ensemble that was opened; None otherwise.
    """

    @property
    def trees(self) -> "Trees | None":
        """See above."""
        ...

    def on_time(self) -> None:
        """Raise where the budget is spent: for attacks that compute much and ask little."""
        ...

    def predict(self, x: "Floats") -> "Floats":
        """Score samples [n, ...]: finite scores [n, k], k at least 2.

        Raises where the budget is spent or the model fails; an attack lets that pass.
        """
        ...

    def gradient(self, x: "Floats", objective: "Objective") -> "tuple[Floats, Floats, Floats]":
        """Return scores [n, k], losses [n] and the losses' gradients [n, ...].

        Only for attacks that need gradients. Gradients are finite: what the model gives
        else is counted as zero.
        """
        ...


class Attack(Protocol):
    """What a module of ``attacks`` provides.

    Attributes:
        NAME: In the policy's ``attacks``: the module's name.
        NORMS: Balls that it can search: ``linf``, ``l2``.
        NEEDS: ``scores``, ``labels`` (the winning class alone), ``gradients`` or ``trees``.
        ORDER: Cheap before dear: the place in the cascade where nobody chose one.
    """

    NAME: str
    NORMS: tuple[str, ...]
    NEEDS: str
    ORDER: int

    def run(self, victim: "Victim", ball: Ball, labels: "NDArray[np.int64]", effort: Effort) -> Attempt:
        """Search the ball for samples whose top score is not the label's.

        Args:
            victim: The model.
            ball: Around samples that the model gets right.
            labels: [n] Columns of the right classes.
            effort: Limits and seeds.
        """
        ...
