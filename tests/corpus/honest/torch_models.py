"""PyTorch, where it is installed: states, whole modules, optimizers, scripts and exports."""

import importlib.util
import io
import warnings
from collections import OrderedDict
from collections.abc import Iterator

from tests.corpus.sample import Sample


def samples() -> Iterator[Sample]:
    if not importlib.util.find_spec("torch"):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from list(_torch())


def _torch() -> Iterator[Sample]:
    import torch
    from torch import nn

    torch.manual_seed(3)

    def saved(value: object, *, zipped: bool = True) -> bytes:
        out = io.BytesIO()
        torch.save(value, out, _use_new_zipfile_serialization=zipped)
        return out.getvalue()

    net = nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 2, 3),
            norm=nn.BatchNorm2d(2),
            act=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            drop=nn.Dropout(),
            out=nn.Linear(2, 2),
        )
    )
    modules = {
        "a network": net,
        "an LSTM": nn.LSTM(3, 4, 2),
        "a GRU": nn.GRU(3, 4),
        "a transformer": nn.TransformerEncoderLayer(8, 2, 16),
        "an embedding": nn.Embedding(10, 4),
        "a module list": nn.ModuleList([nn.Linear(2, 2), nn.GELU()]),
        "a module dict": nn.ModuleDict({"a": nn.Linear(2, 2)}),
        "parameters": nn.ParameterList([nn.Parameter(torch.ones(2))]),
        "attention": nn.MultiheadAttention(8, 2),
        "an upsampler": nn.Sequential(
            nn.ConvTranspose2d(2, 2, 2), nn.Upsample(scale_factor=2), nn.PixelShuffle(1), nn.Softmax(1)
        ),
        "losses": nn.ModuleList([nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()]),
    }
    adam = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 1, 5, 5)).sum().backward()
    adam.step()
    scheduler = torch.optim.lr_scheduler.StepLR(adam, 3)
    values = {
        **{f"{name}, state": module.state_dict() for name, module in modules.items()},
        **{f"{name}, whole": module for name, module in modules.items()},
        "a tensor": torch.ones(3, 3),
        "tensors of every type": [torch.zeros(2, dtype=kind) for kind in (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64)],
        "views of one storage": {"a": (shared := torch.arange(12.0)), "b": shared[2:5], "c": shared.view(3, 4).t()},
        "a sparse tensor": torch.eye(3).to_sparse(),
        "a csr tensor": torch.eye(3).to_sparse_csr(),
        "a quantized tensor": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "a parameter": nn.Parameter(torch.ones(2)),
        "an empty tensor": torch.empty(0, 4),
        "a scalar tensor": torch.tensor(1.5),
        "an optimizer": adam.state_dict(),
        "a scheduler": scheduler.state_dict(),
        "a checkpoint": {"epoch": 3, "model": net.state_dict(), "optimizer": adam.state_dict(), "args": {"lr": 0.1, "name": "run"}, "loss": 0.5, "rng": torch.get_rng_state()},
        "a generator's state": torch.get_rng_state(),
        "a size and a device": {"size": torch.Size([2, 3]), "device": torch.device("cpu"), "dtype": torch.float32},
        "a data set": torch.utils.data.TensorDataset(torch.ones(3, 2), torch.zeros(3)),
        "a distribution": torch.distributions.Normal(torch.zeros(2), torch.ones(2)),
        "a list of arrays": [torch.ones(2).numpy(), 3],
    }  # fmt: skip
    for index, (name, value) in enumerate(values.items()):
        ending = ("pt", "pth", "bin", "ckpt")[index % 4]
        yield Sample("torch", f"{name}, zip", "", {f"model.{ending}": saved(value)}, "quiet")
        yield Sample("torch", f"{name}, old", "", {f"model.{ending}": saved(value, zipped=False)}, "quiet")
    eager = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).eval()
    for name, scripted in {
        "traced": torch.jit.trace(eager, torch.ones(1, 2)),
        "scripted": torch.jit.script(eager),
    }.items():
        out = io.BytesIO()
        torch.jit.save(scripted, out)
        for ending in ("pt", "ptl", "torchscript"):
            yield Sample("torch", f"{name}.{ending}", "", {f"model.{ending}": out.getvalue()}, "quiet")
    for name, extra in {"extra files": {"labels.txt": "cat\ndog"}}.items():
        out = io.BytesIO()
        torch.jit.save(torch.jit.script(eager), out, _extra_files=extra)
        yield Sample("torch", f"scripted, {name}", "", {"model.pt": out.getvalue()}, "quiet")
