import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("msgpack.pickled", "high"),
        ("msgpack.object", "medium"),
        ("zarr.pickled", "high"),
        ("jax.callback", "high"),
    ],
)
def test_checkpoints_that_hold_pickles(kind, severity):
    assert verdicts(kind) == [("MLG-ORB-001", severity)]
