"""Decide a threshold on a success rate while looking, without fooling oneself.

The samples come in a random order. After 8, 16 and 32 of them, and then each time their
number has grown by half, the successes are counted and an exact (Clopper-Pearson) interval is
drawn. Each look spends a part of the allowed error, and the parts add up to the whole:
half for the look that uses all samples, the other half shared by the looks before. So
the intervals form a confidence sequence: with the stated confidence *all* of them hold
the model's true rate, and it does no harm to stop at whichever look one likes.

The question is about the model, not about these samples: the true rate is what the
model would reach on more data of the same kind. Hence the answers:

- ``pass``: an interval lies wholly at or above the threshold;
- ``fail``: an interval lies wholly below it;
- ``inconclusive``: the samples (or the time) are used up and the interval still holds
  the threshold. A point estimate on the right side is then no answer.

Looking also stops, as ``inconclusive``, once no outcome of the samples that are left
could still decide. Any two-sided interval errs on both sides, so a wrong pass, or a
wrong fail, is at most half as likely as the confidence allows.
"""

from collections.abc import Callable

from msgspec import Struct

from mlgate.checks.assessment.intervals import clopper_pearson

FIRST = 8
# Below it a look costs more time than its samples, for every attack goes step by step.
SMALL = 32
GROWTH = 1.5
_LAST_SHARE = 0.5


class Count(Struct, frozen=True):
    """Successes of which some may be none.

    Attributes:
        possible: Samples that are not known to be failures.
        proven: Those among them that are known to be successes.
    """

    possible: int
    proven: int


class Look(Struct, frozen=True):
    """One look at the successes so far.

    Attributes:
        n: Samples seen.
        successes: Among them.
        low: Lower end of the interval.
        high: Upper end.
        proven: Successes that are known to be some; as many as ``successes``, unless
            :class:`Count` tells them apart.
    """

    n: int
    successes: int
    low: float
    high: float
    proven: int

    @property
    def value(self) -> float:
        """Share of successes."""
        return self.successes / self.n


class Answer(Struct, frozen=True):
    """What the looks decided.

    Attributes:
        outcome: ``pass``, ``fail`` or ``inconclusive``.
        stop: ``decided``, ``samples`` (all used), ``undecidable`` (the rest could not
            decide) or ``budget``.
        looks: In order; empty where the budget ended before the first.
    """

    outcome: str
    stop: str
    looks: tuple[Look, ...]


def plan(total: int, confidence: float) -> tuple[tuple[int, float], ...]:
    """Return the looks at ``total`` samples: how many are seen, and at what confidence."""
    sizes = [min(FIRST, total)]
    while sizes[-1] < total:
        sizes.append(min(total, int(sizes[-1] * (2 if sizes[-1] < SMALL else GROWTH))))
    error = 1 - confidence
    if len(sizes) == 1:
        return ((total, confidence),)
    early = error * (1 - _LAST_SHARE) / (len(sizes) - 1)
    return (*((n, 1 - early) for n in sizes[:-1]), (total, 1 - error * _LAST_SHARE))


class Bounds(Struct, frozen=True):
    """What decides a look, in successes among all samples seen so far.

    Attributes:
        fails: With no more than so many it fails; -1 where it cannot.
        passes: With no fewer it passes; more than there are samples where it cannot.
    """

    fails: int
    passes: int


def decide(
    total: int,
    threshold: float,
    confidence: float,
    draw: Callable[[int, int, Bounds], int | Count | None],
    settle: Callable[[Bounds], int | Count | None] | None = None,
) -> Answer:
    """Look until the threshold is decided.

    Args:
        total: Samples there are, at least 1.
        threshold: The rate asked for, 0 to 1.
        confidence: Of the whole sequence, between 0 and 1.
        draw: Given ``start``, ``stop`` and what decides, takes these samples of the random
            order and returns the successes among all so far, or None where the budget is
            spent. It may count as successes what it has not looked at to the end, as long
            as they are too few to pass: what is left can only turn them into failures.
            With a :class:`Count`, only what is proven can pass, and only what is not
            possible can fail.
        settle: Looks at everything to the end and returns the same; asked before a look
            that ends without a decision.
    """
    looks: list[Look] = []
    seen = 0
    steps = plan(total, confidence)
    for index, (n, level) in enumerate(steps):
        bounds = Bounds(_most_that_fail(n, level, threshold), _fewest_that_pass(n, level, threshold))
        found, seen = draw(seen, n, bounds), n
        if found is None:
            return Answer("inconclusive", "budget", tuple(looks))
        looks.append(_look(n, level, found))
        rest = steps[index + 1 :]
        ends = not rest or not _decidable(looks[-1], rest, threshold)
        if settle is not None and ends and _decided(looks[-1], threshold) is None:
            found = settle(bounds)
            if found is None:
                return Answer("inconclusive", "budget", tuple(looks))
            looks[-1] = _look(n, level, found)
        outcome = _decided(looks[-1], threshold)
        if outcome is not None:
            return Answer(outcome, "decided", tuple(looks))
        if rest and not _decidable(looks[-1], rest, threshold):
            return Answer("inconclusive", "undecidable", tuple(looks))
    return Answer("inconclusive", "samples", tuple(looks))


def _look(n: int, level: float, found: int | Count) -> Look:
    count = found if isinstance(found, Count) else Count(found, found)
    low, high = clopper_pearson(count.possible, n, level)
    if count.proven < count.possible:
        low = clopper_pearson(count.proven, n, level)[0]
    return Look(n, count.possible, low, high, count.proven)


def _decided(look: Look, threshold: float) -> str | None:
    if look.low >= threshold:
        return "pass"
    return "fail" if look.high < threshold else None


def _fewest_that_pass(n: int, level: float, threshold: float) -> int:
    """Return the smallest number of successes among n at which the look passes; n + 1 where none does."""
    fails, passes = -1, n + 1
    while passes - fails > 1:
        middle = (fails + passes) // 2
        if clopper_pearson(middle, n, level)[0] >= threshold:
            passes = middle
        else:
            fails = middle
    return passes


def _most_that_fail(n: int, level: float, threshold: float) -> int:
    """Return the largest number of successes among n at which the look fails; -1 where none does."""
    fails, passes = -1, n + 1
    while passes - fails > 1:
        middle = (fails + passes) // 2
        if clopper_pearson(middle, n, level)[1] < threshold:
            fails = middle
        else:
            passes = middle
    return fails


def _decidable(look: Look, rest: tuple[tuple[int, float], ...], threshold: float) -> bool:
    for later, level in rest:
        if clopper_pearson(look.proven + later - look.n, later, level)[0] >= threshold:
            return True
        if clopper_pearson(look.successes, later, level)[1] < threshold:
            return True
    return False


def samples_needed(rate: float, threshold: float, confidence: float, most: int = 1 << 22) -> int | None:
    """Estimate how many samples would decide if they went on as they began.

    Args:
        rate: Share of successes so far.
        threshold: The rate asked for.
        confidence: Of the whole sequence.
        most: Larger numbers are not said.

    Returns:
        A power of two times 64, or None where even ``most`` would not do.
    """
    n = 64
    while n <= most:
        low, high = clopper_pearson(round(rate * n), n, plan(n, confidence)[-1][1])
        if low >= threshold or high < threshold:
            return n
        n *= 2
    return None
