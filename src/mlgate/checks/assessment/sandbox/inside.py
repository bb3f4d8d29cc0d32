"""The worker's side: build the walls, then load one model and answer predictions.

Started by :mod:`mlgate.checks.assessment.sandbox.worker` as its own process. It is
asked to ``load``, to ``predict``, to ``follow`` and ``pull`` gradients, for its ``trees``,
for the ``columns`` of a table, and for nothing else: it never sees labels, thresholds, or
which sample is under attack.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np

from mlgate.checks.assessment.model import Loader, Model, Request, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.walls import confine
from mlgate.core.discovery import modules

_MOST_TEXT = 500
# Models, and data whose parser is not to be trusted with the gate.
_HOMES = ("mlgate.checks.assessment.loaders", "mlgate.checks.assessment.datasets")
_MOST_NAMES = 1 << 16


def main(arguments: Sequence[str]) -> None:
    """Serve the gate on standard input and output until it closes them.

    Args:
        arguments: Format, bytes of memory, and seconds of processor time.
    """
    name, memory, seconds = arguments
    source, sink = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not part of the conversation
    asked = frames.receive(source)
    if asked is None:
        return
    request = msgspec.json.decode(asked[1], type=Request)
    loader: Any = next(
        module for home in _HOMES for module in modules(home) if name == getattr(module, "FORMAT", None)
    )
    try:
        loader.prepare(request)
    except Unassessable as problem:
        _send(sink, {"error": problem.reason, "message": problem.message[:_MOST_TEXT]})
        return
    except ImportError as error:
        message = f"a package that the model needs cannot be imported: {error}"
        _send(sink, {"error": "model-load", "message": message[:_MOST_TEXT]})
        return
    _prefer_as_victim()
    walls = confine(int(memory), int(seconds))
    _send(sink, {"walls": [[wall.name, wall.stands, wall.note] for wall in walls]})
    serve(loader, request, source, sink)


def _prefer_as_victim() -> None:
    """Where memory runs out, the kernel should end this process, not the gate."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - imports less
            file.write("1000")
    except OSError:
        return


def serve(loader: Loader, request: Request, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer frames until the stream ends; an error is an answer too."""
    model: Model | None = None
    while (frame := frames.receive(source)) is not None:
        header, body = frame
        try:
            if header.get("do") == "load":
                model = loader.load(body, request)
                wanted = model.signature
                _send(sink, _described(wanted))
            elif model is not None:
                _answer(model, header, body, sink)
        except Unassessable as problem:
            _send(sink, {"error": problem.reason, "message": problem.message[:_MOST_TEXT]})
        except MemoryError:
            message = "the model needs more memory than limits.worker_bytes allows"
            _send(sink, {"error": "worker-memory", "message": message})


def _described(signature: Signature) -> dict[str, Any]:
    # Names that fill a header are left out: then their order is not compared.
    names = signature.names if sum(map(len, signature.names)) < _MOST_NAMES else ()
    return {
        "shape": list(signature.shape),
        "dtype": signature.dtype,
        "offers": list(signature.offers),
        "names": list(names),
    }


def _answer(model: Model, header: dict[str, Any], body: bytes, sink: BinaryIO) -> None:
    if header["do"] == "trees":
        _send_arrays(sink, model.trees(), {})
        return
    arrays = frames.arrays(header, body)
    if header["do"] == "columns":
        _send_arrays(sink, model.columns([str(name) for name in arrays["names"]]), {})
        return
    if header["do"] == "pull":
        _send_arrays(sink, {"gradient": model.pull(arrays["weights"])}, {})
        return
    scores = (model.follow if header["do"] == "follow" else model.predict)(arrays["x"])
    names = None if scores.classes is None else list(scores.classes)
    _send_arrays(sink, {"scores": scores.values}, {"classes": names})


def _send_arrays(sink: BinaryIO, given: Mapping[str, Any], header: dict[str, Any]) -> None:
    described, parts = frames.describe({name: np.asarray(array) for name, array in given.items()})
    _send(sink, {**header, "arrays": described}, b"".join(parts))


def _send(sink: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    sink.write(frames.pack(header, len(body)))
    sink.write(body)
    sink.flush()
