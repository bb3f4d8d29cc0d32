"""Exact binomial intervals, without a statistics library.

Source: Clopper and Pearson (1934); the regularised incomplete beta function by its
continued fraction (DLMF 8.17.22), evaluated by Lentz's method.
"""

import math

_TINY = 1e-300
_EPSILON = 1e-15
_MOST_TERMS = 100_000
_BISECTIONS = 100


def clopper_pearson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the two-sided exact interval for a probability.

    It holds the true probability at least as often as ``confidence`` says, whatever
    that probability is.

    Args:
        successes: 0 to ``n``.
        n: Independent trials; with none, the interval is [0, 1].
        confidence: Between 0 and 1, both excluded.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else _inverse(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else _inverse(1 - tail, successes + 1, n - successes)
    return low, high


def mcnemar(lost: int, won: int) -> float:
    """Return the exact two-sided p-value of McNemar's test.

    Source: McNemar (1947), doi:10.1007/BF02295996, with the exact binomial distribution.

    Args:
        lost: Pairs of which only the first is a success.
        won: Pairs of which only the second is.
    """
    n, fewer = lost + won, min(lost, won)
    return 1.0 if n == 0 or lost == won else min(1.0, 2 * incomplete_beta(0.5, n - fewer, fewer + 1))


def _inverse(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), for a, b > 0, 0 <= x <= 1."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return front * _continued_fraction(x, a, b) / a


def _continued_fraction(x: float, a: float, b: float) -> float:
    c = 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
