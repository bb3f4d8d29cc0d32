"""Programs in model files, and files that are programs."""

from collections.abc import Iterator

from tests.checks.models.building import NOISE, Entry, elf, fat, macho, pe, small_elf, zipped
from tests.corpus.assemble import EVIL, blob, pickled
from tests.corpus.hostile._hdf5 import hdf5
from tests.corpus.hostile.safetensors import made, tensor
from tests.corpus.sample import Sample

PROGRAMS = {"ELF": elf(), "small ELF": small_elf(), "PE": pe(), "Mach-O": macho(), "universal Mach-O": fat()}


def samples() -> Iterator[Sample]:
    family = "executables"
    for name, program in PROGRAMS.items():
        body = program + NOISE[:1000]
        places = {
            "behind a pickle": {"model.pkl": pickled(b"}", 2) + body},
            "in a pickle": {"model.pkl": pickled(blob(body), 3)},
            "behind safetensors": {"model.safetensors": made({"w": tensor(0, 16, [4])}) + body},
            "as a zip member": {
                "model.zip": zipped(
                    Entry("archive/data.pkl", pickled(b"}", 2)), Entry("archive/extra.bin", body)
                )
            },
            "before a zip": {"model.zip": body + zipped(Entry("a.txt", b"a"))},
            "as weights": {"model.bin": body},
            "as safetensors": {"model.safetensors": body},
            "as onnx": {"model.onnx": body},
            "as pickle": {"model.pkl": body},
            "in an attribute": {"model.h5": hdf5({"model_config": b"{}", "extra": body})},
        }
        for where, files in places.items():
            weak = where in {"as safetensors", "as onnx", "as pickle", "as weights"}
            yield Sample(
                family,
                f"{name} {where}",
                "native code shipped as a model",
                files,
                "not-checked" if weak else "high",
            )
    # Scripts of a shell or of Python under a model's name are not here: no loader runs them.
    ape = b"MZqFpD='\n" + bytes(60) + elf() + NOISE
    llamafile = ape + zipped(Entry("model.gguf", b"GGUF" + bytes(200)), Entry(".args", b"-m\nmodel.gguf\n"))
    yield Sample(
        family, "llamafile", "an executable that is also an archive", {"model.llamafile": llamafile}, "medium"
    )
    yield Sample(
        family,
        "llamafile as bin",
        "an executable that is also an archive",
        {"model.bin": llamafile},
        "medium",
    )
    yield Sample(
        family,
        "llamafile with a pickle",
        "an executable that is also an archive",
        {"model.llamafile": ape + zipped(Entry("model.pkl", EVIL))},
    )
