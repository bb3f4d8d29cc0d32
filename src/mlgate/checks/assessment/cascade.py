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
from mlgate.checks.assessment.predictor import not_repeatable
from mlgate.checks.assessment.problems import Unassessable
from mlgate.core.discovery import modules
from mlgate.policy.assessment import Robustness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

_MOST_VALUES = 1 << 23


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
        return tuple(sorted(able.values(), key=lambda module: module.ORDER))
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
    return tuple(able[name] for name in settings.attacks)


class Cascade:
    """The attacks, and a tally of what they did.

    Args:
        model: Under attack.
        samples: The data.
        settings: The policy's ``robustness``.
        seed: Of every random choice.

    Attributes:
        tally: By attack: samples attacked, broken and left standing, claims that did
            not hold, queries.
        signals: By attack and signal: the sum over the samples, and their number.
        black_box: True where every attack sees scores or labels only.
        proves: True where an attack can also show that there is no changed sample that
            the model gets wrong.
        proven: Samples of which that was shown so far.
    """

    def __init__(self, model: Classifier, samples: Samples, settings: Robustness, seed: int) -> None:
        self._model = model
        self._samples = samples
        self._settings = settings
        self._seed = seed
        self._attacks = attacks(settings, gradients=model.guide is not None, trees=model.trees is not None)
        self.signals: dict[str, dict[str, tuple[float, int]]] = {}
        self.tally: dict[str, dict[str, int]] = {
            attack.NAME: {"attacked": 0, "broken": 0, "survived": 0, "unconfirmed": 0, "queries": 0}
            for attack in self._attacks
        }
        self.black_box = all(attack.NEEDS in ("scores", "labels") for attack in self._attacks)
        self.proves = any(attack.NEEDS == "trees" for attack in self._attacks)
        self.proven = 0

    def survivors(self, chosen: "NDArray[np.int64]") -> int:
        """Attack the samples at these positions and count those that stand.

        Those that are proven to stand are attacked no more; :attr:`proven` counts them.

        Raises:
            BudgetSpent: The time is up; what was being attacked is not in the tally.
            Unassessable: The model fails.
        """
        right = self._model.clean[chosen].argmax(axis=1) == self._samples.labels[chosen]
        standing = chosen[right]
        size = max(1, _MOST_VALUES // max(1, self._samples.x[:1].size))
        count = 0
        proven = self.proven
        for start in range(0, len(standing), size):
            part = standing[start : start + size]
            for attack in self._attacks:
                if len(part):
                    part = self._survive(attack, part)
            count += len(part)
        return count + self.proven - proven

    def _survive(self, attack: Any, chosen: "NDArray[np.int64]") -> "NDArray[np.int64]":
        samples, settings = self._samples, self._settings
        labels = samples.labels[chosen]
        ball = around(samples.x[chosen], settings.epsilon, settings.norm, samples.features)
        effort = Effort(settings.queries, self._seed, samples.ids[chosen])
        attempt = attack.run(self._model, ball, labels, effort)
        broken = np.zeros(len(chosen), np.bool_)
        if attempt.broken.any():
            broken[attempt.broken] = self._confirmed(attempt.x, ball, labels, attempt.broken)
        tally = self.tally[attack.NAME]
        tally["attacked"] += len(chosen)
        tally["broken"] += int(broken.sum())
        tally["survived"] += int((~broken).sum())
        tally["unconfirmed"] += int((attempt.broken & ~broken).sum())
        tally["queries"] += int(attempt.queries.sum())
        for signal, value in attempt.signals.items():
            total, count = self.signals.setdefault(attack.NAME, {}).get(signal, (0.0, 0))
            self.signals[attack.NAME][signal] = (total + value * len(chosen), count + len(chosen))
        if attempt.proven is not None:
            self.proven += int(attempt.proven.sum())
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
