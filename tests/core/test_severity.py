import itertools

import pytest

from mlgate.core.severity import Severity

WORDS = ["info", "low", "medium", "high", "critical"]


def test_the_scale_orders_by_gravity_and_not_by_alphabet():
    assert [severity.value for severity in sorted(Severity)] == WORDS


@pytest.mark.parametrize(("lower", "higher"), list(itertools.combinations(Severity, 2)))
def test_every_pair_compares_one_way(lower, higher):
    assert lower < higher
    assert lower <= higher
    assert higher > lower
    assert higher >= lower
    assert not higher < lower
    assert not lower > higher
