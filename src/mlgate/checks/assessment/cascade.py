"""The attacks, cheap before dear, each on the samples that the ones before left standing.

So the figure is the minimum over the attacks, sample by sample. A sample that the model
gets wrong unattacked counts as broken. An attack's claim counts only after the changed
sample was checked here: inside the ball, inside the features' ranges, and wrong when the
model is asked again.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET, Struct

from mlgate.checks.assessment.attack import Effort
from mlgate.checks.assessment.ball import Ball, Features, around
from mlgate.checks.assessment.classifier import Classifier
from mlgate.checks.assessment.counted import Counted
from mlgate.checks.assessment.predictor import not_repeatable
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import modules
from mlgate.policy.assessment import Robustness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

# Features attacked at once: an attack holds a dozen arrays of them.
_MOST_VALUES = 1 << 22
_WITNESS = "square"
_TALLIED = ("attacked", "broken", "survived", "unconfirmed", "queries", "backward")


class Samples(Struct, frozen=True):
    """The data as an attack needs it.

    Attributes:
        x: [n, ...] In the model's shape and dtype.
        labels: [n] Right columns.
        ids: [n] Each sample's number in the file.
        features: What is known about the features.
    """

    x: "Floats"
    labels: "NDArray[np.int64]"
    ids: "NDArray[np.int64]"
    features: Features = Features()


def attacks(settings: Robustness, *, gradients: bool, trees: bool = False) -> tuple[Any, ...]:
    """Return the attacks of a policy in its order; or, where it names none, all that suit the model.

    Where gradients lead, an attack without them follows as a witness, named or not: only it
    can tell that they mislead.

    Raises:
        Unassessable: An attack cannot search that ball, or needs gradients or trees that
            there are not.
    """
    lacking = {need for need, there in (("gradients", gradients), ("trees", trees)) if not there}
    known: dict[str, Any] = {module.NAME: module for module in modules("mlgate.checks.assessment.attacks")}
    able = {
        name: module
        for name, module in known.items()
        if settings.norm in module.NORMS and module.NEEDS not in lacking
    }
    if settings.attacks is UNSET:
        # What sees labels alone does no better than what sees where the scores lead.
        suits = [module for module in able.values() if not (gradients and module.NEEDS == "labels")]
        return tuple(sorted(suits, key=lambda module: module.ORDER))
    for name in settings.attacks:
        if name not in able:
            needs = known[name].NEEDS
            why = f"has no {needs} in" if needs in lacking else "cannot search"
            raise Unassessable(
                "unknown-attack",
                f"the attack {name!r} {why} this assessment (norm {settings.norm}); "
                f"there is {', '.join(sorted(able))}",
                "robustness.attacks",
            )
    chosen = [able[name] for name in settings.attacks]
    if any(module.NEEDS == "gradients" for module in chosen) and _WITNESS not in settings.attacks:
        chosen += [module for module in able.values() if module.NAME == _WITNESS]
    return tuple(chosen)


def follows(settings: Robustness) -> bool:
    """Say whether the policy's attacks would follow gradients, if the model gives any."""
    if settings.attacks is UNSET:
        return True
    return any(
        attack.NEEDS == "gradients"
        for attack in modules("mlgate.checks.assessment.attacks")
        if attack.NAME in settings.attacks
    )


class Cascade:
    """The attacks, and a tally of what they did.

    Args:
        model: Under attack.
        samples: The data.
        settings: The policy's ``robustness``.
        seed: Of every random choice.

    Attributes:
        samples: The data.
        tally: By attack: samples attacked, broken and left standing, claims that did
            not hold, queries (forward passes) and backward passes.
        standing: [n] True where a sample of the data was attacked and withstood.
        black_box: True where every attack sees scores or labels only.
        white_box: True where an attack follows gradients.
        proves: True where an attack can also show that there is no changed sample that
            the model gets wrong.
    """

    def __init__(self, model: Classifier, samples: Samples, settings: Robustness, seed: int) -> None:
        self._model = model
        self.samples = samples
        self._settings = settings
        self._seed = seed
        self._attacks = attacks(settings, gradients=model.guide is not None, trees=model.trees is not None)
        self.tally: dict[str, dict[str, int]] = {
            attack.NAME: dict.fromkeys(_TALLIED, 0) for attack in self._attacks
        }
        self.standing = np.zeros(len(samples.x), np.bool_)
        self.white_box = any(attack.NEEDS == "gradients" for attack in self._attacks)
        self.black_box = all(attack.NEEDS in ("scores", "labels") for attack in self._attacks)
        self.proves = any(attack.NEEDS == "trees" for attack in self._attacks)
        self._proven = self._pending = np.zeros(0, np.int64)

    @property
    def proven(self) -> int:
        """Samples of which that was shown so far."""
        return len(self._proven)

    def ball(self, chosen: "NDArray[np.int64]") -> Ball:
        """Return what an attacker can make of the samples at these positions."""
        samples, settings = self.samples, self._settings
        return around(samples.x[chosen], settings.epsilon, settings.norm, samples.features)

    def effort(self, chosen: "NDArray[np.int64]") -> Effort:
        """Return what an attack may spend on the samples at these positions."""
        return Effort(self._settings.queries, self._seed, self.samples.ids[chosen])

    def witnessed(self) -> tuple[int, int]:
        """Return how many samples gradient attacks left to others, and how many of these those broke."""
        needs = [attack.NEEDS for attack in self._attacks]
        after = self._attacks[len(needs) - needs[::-1].index("gradients") :] if self.white_box else ()
        tallies = [self.tally[attack.NAME] for attack in after]
        return (tallies[0]["attacked"] if tallies else 0, sum(tally["broken"] for tally in tallies))

    def survivors(self, chosen: "NDArray[np.int64]") -> int:
        """Attack the samples at these positions with everything, and count those that stand.

        Raises:
            BudgetSpent: The time is up; what was being attacked is not in the tally.
            Unassessable: The model fails.
        """
        self.begin(chosen)
        self.finish()
        return int(self.standing[chosen].sum())

    def begin(self, chosen: "NDArray[np.int64]") -> None:
        """Attack samples with the first attack; what withstands it stands until :meth:`finish`.

        Raises:
            BudgetSpent: The time is up; what was being attacked is not in the tally.
            Unassessable: The model fails.
        """
        right = self._model.clean[chosen].argmax(axis=1) == self.samples.labels[chosen]
        standing = self._attacked(self._attacks[0], chosen[right])
        self.standing[standing] = True
        self._pending = np.concatenate([self._pending, standing])

    def finish(self, enough: int = -1) -> None:
        """Attack what withstood the first attack with the others, cheap before dear.

        What is proven to stand is attacked no more; :attr:`proven` counts it.

        Args:
            enough: Once no more than so many stand of all, dearer attacks are not asked: the
                count can only fall, and nobody needs to know how far.

        Raises:
            BudgetSpent: The time is up; what was broken before stays broken.
            Unassessable: The model fails.
        """
        standing, self._pending = self._pending, self._pending[:0]
        for attack in self._attacks[1:]:
            if self.standing.sum() <= enough:
                return
            left = self._attacked(attack, standing)
            self.standing[standing] = False
            self.standing[left] = True
            self.standing[self._proven] = True
            standing = left

    def _attacked(self, attack: Any, chosen: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return which of the samples withstand an attack, in portions that fit into memory."""
        size = max(1, _MOST_VALUES // max(1, self.samples.x[:1].size))
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        return np.concatenate([self._survive(attack, part) for part in parts] or [chosen])

    def _survive(self, attack: Any, chosen: "NDArray[np.int64]") -> "NDArray[np.int64]":
        labels, ball = self.samples.labels[chosen], self.ball(chosen)
        victim = Counted(self._model)
        attempt = attack.run(victim, ball, labels, self.effort(chosen))
        broken = np.zeros(len(chosen), np.bool_)
        if attempt.broken.any():
            broken[attempt.broken] = self._confirmed(attempt.x, ball, labels, attempt.broken)
        tally = self.tally[attack.NAME]
        tally["attacked"] += len(chosen)
        tally["broken"] += int(broken.sum())
        tally["survived"] += int((~broken).sum())
        tally["unconfirmed"] += int((attempt.broken & ~broken).sum())
        tally["queries"] += victim.forward
        tally["backward"] += victim.backward
        if attempt.proven is not None:
            self._proven = np.concatenate([self._proven, chosen[attempt.proven]])
            self.standing[chosen[attempt.proven]] = True
            broken |= attempt.proven
        return chosen[~broken]

    def _confirmed(
        self, x: "Floats", ball: Ball, labels: "NDArray[np.int64]", claimed: "NDArray[np.bool_]"
    ) -> "NDArray[np.bool_]":
        x = x[claimed]
        inside = ball.part(claimed).holds(x)
        scores = self._model.predict(x)
        fooled: NDArray[np.bool_] = scores.argmax(axis=1) != labels[claimed]
        # Either the attack errs, or the model turned random and would pass for a robust one.
        if (inside & ~fooled).any() and not np.array_equal(self._model.predict(x), scores):
            raise not_repeatable()
        return inside & fooled
