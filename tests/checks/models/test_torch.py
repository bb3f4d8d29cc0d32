import io

import pytest
from tests.checks.models.building import judged, look

from mlgate.core.severity import Severity

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def saved(value, **options):
    data = io.BytesIO()
    torch.save(value, data, **options)
    return data.getvalue()


def values():
    layer = torch.nn.Sequential(torch.nn.Linear(300, 20), torch.nn.BatchNorm1d(20))
    yield layer.state_dict()
    yield {"epoch": 3, "model": layer.state_dict(), "loss": torch.tensor(0.5), "half": torch.ones(7).half()}
    yield [torch.arange(10), torch.zeros(0), torch.ones(3, 4).t(), torch.eye(3).to_sparse()]
    yield torch.optim.Adam(layer.parameters()).state_dict()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("name", ["m.pt", "m.bin"])
def test_what_torch_saves_is_no_alarm(zipped, protocol, number, name):
    value = list(values())[number]
    seen = look(saved(value, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol), name)
    assert not [each for each in judged(seen) if each.severity >= Severity.MEDIUM]
    assert not seen.not_checked
    assert seen.inventory[0].format in ("torch", "torch-legacy", "pickle")


def test_random_numbers_in_many_tensors_are_no_alarm():
    torch.manual_seed(0)
    value = {str(number): torch.randint(0, 256, (64,), dtype=torch.uint8) for number in range(3000)}
    seen = look(saved(value), "m.pt")
    assert not [each for each in judged(seen) if each.severity >= Severity.MEDIUM]
    assert not seen.not_checked
