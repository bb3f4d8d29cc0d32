import io
import zipfile

import pytest
from tests.checks.models.building import Entry, judged, look, zipped

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


def _layers():
    nn = torch.nn
    yield nn.Conv2d(3, 4, 3)
    yield nn.LSTM(4, 5, num_layers=2, bidirectional=True)
    yield nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    yield nn.Embedding(10, 4, sparse=True)
    yield nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    yield nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.1), nn.LayerNorm(4))
    yield nn.ModuleDict({"a": nn.GRU(2, 3), "b": nn.ModuleList([nn.Bilinear(2, 2, 2)])})


def _optimizers():
    for kind in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "LBFGS", "NAdam", "RAdam"):
        layer = torch.nn.Linear(3, 2)
        optimizer = getattr(torch.optim, kind)(layer.parameters(), lr=0.1)

        def closure(layer=layer, optimizer=optimizer):
            optimizer.zero_grad()
            loss = layer(torch.ones(1, 3)).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        yield optimizer.state_dict()


def _tensors():
    base = torch.arange(24.0).reshape(4, 6)
    yield [base, base[1:], base[:, 2], base.t(), base[::2, ::3], base.expand(5, 4, 6), base[3:, 5:]]
    yield [torch.empty(0, 5), torch.tensor(1.5), torch.zeros(1).expand(0), base[4:], torch.ones(1, 1, 1)]
    yield torch.arange(10).as_strided((3, 4), (2, 1), 1)
    for kind in (
        "bfloat16", "float16", "float64", "complex64", "complex128", "bool", "uint8", "int8", "int16", "int32",
        "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2",
    ):  # fmt: skip
        yield torch.zeros(7, 3, dtype=getattr(torch, kind))[1:]
    yield torch.empty(5, 3, device="meta")
    yield {"a": torch.nn.Parameter(base), "b": torch.nn.Parameter(torch.ones(2), requires_grad=False)}
    yield torch.eye(4).to_sparse()
    yield torch.sparse_coo_tensor(torch.tensor([[0, 2]]), torch.ones(2, 3), (4, 3))
    yield torch.sparse_coo_tensor(torch.empty(2, 0, dtype=torch.long), torch.empty(0), (4, 3))
    yield torch.eye(4).to_sparse_csr()
    yield torch.eye(4).to_sparse_csc()
    yield torch.eye(4).to_sparse_bsr((2, 2))
    yield torch.quantize_per_tensor(base, 0.1, 3, torch.quint8)
    yield torch.quantize_per_channel(base, torch.ones(4), torch.zeros(4, dtype=torch.long), 0, torch.qint8)
    yield torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)])
    yield torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)], layout=torch.jagged)
    yield [base.untyped_storage(), base.storage(), base]
    yield base.to(torch.complex64).conj()
    yield [torch.Size([1, 2]), torch.float16, torch.device("cpu"), torch.strided, torch.Generator()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [_layers, _optimizers, _tensors])
def test_honest_tensors_fit_their_storages(make):
    looked = 0
    for value in make():
        for options in ({}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}):
            try:
                data = saved(value, **options)
            except (NotImplementedError, RuntimeError, TypeError, AttributeError):
                continue
            seen = look(data, "m.pt")
            grave = [found for found in judged(seen) if found.severity >= Severity.MEDIUM]
            assert not grave, (value, options, grave)
            looked += 1
    assert looked > 15


def _repacked(data, change):
    """The same file with another pickle, and the records that ``change`` names cut short."""
    source = zipfile.ZipFile(io.BytesIO(data))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, change(name, source.read(name)))
    return out.getvalue()


@pytest.mark.parametrize("offset", [0, 2])
def test_a_storage_that_its_record_does_not_hold_is_impossible(offset):
    data = saved({"a": torch.arange(10.0)[offset:]})
    same = _repacked(data, lambda name, content: content)
    assert not judged(look(same, "m.pt"))
    short = _repacked(data, lambda name, content: content[:-4] if name.endswith("data/0") else content)
    assert [found.rule for found in judged(look(short, "m.pt"))] == ["MLG-TOR-003"]
    inside = zipped(Entry("inner.pt", short))
    assert "MLG-TOR-003" in {found.rule for found in judged(look(inside, "m.zip"))}
    long = _repacked(data, lambda name, content: content + b"1234" if name.endswith("data/0") else content)
    assert not judged(look(long, "m.pt"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x0a\x85", b"K\x0b\x85"),
        (b"K\x0a\x85", b"J\xff\xff\xff\xff\x85"),
        (b"QK\x00", b"QK\x01"),
        (b"K\x01\x85", b"K\x02\x85"),
        (b"K\x01\x85", b"\x8a\x09" + b"\xff" * 8 + b"\x00\x85"),
    ],
)
def test_a_view_beyond_its_storage_is_impossible(old, new):
    data = saved(torch.arange(10.0))
    changed = _repacked(data, lambda name, content: content.replace(old, new))
    assert changed != _repacked(data, lambda name, content: content)
    assert [found.rule for found in judged(look(changed, "m.pt"))] == ["MLG-TOR-003"]
