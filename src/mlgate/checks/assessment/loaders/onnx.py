"""ONNX classifiers through onnxruntime, on the CPU, with one thread.

A model has one input of float32, float64 or texts, batch first, and scores as one of

- logits or probabilities [n, k], or a single column [n, 1] or [n] for two classes;
- what scikit-learn converters write: a label, and probabilities as a tensor or as a
  sequence of maps from class to probability.

The batch may be free or fixed; a fixed one is filled up. The installed onnxruntime
decides which versions load: 1.20 takes IR up to 10 and opset up to 21, 1.32 takes IR up
to 14. IR 10 and opset 21 suit every release that mlgate supports.

Bytes carry no place on disk, so tensors in external files are never found.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlgate.checks.assessment.loaders import _locales, _onnx_trees, _scores
from mlgate.checks.assessment.loaders._ensemble import Ensemble, opened
from mlgate.checks.assessment.model import Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats

FORMAT = "onnx"
REQUIRES = ("numpy", "onnxruntime")
EXTRA = "assess"
MAX_BYTES = (2 << 30) - 1  # the largest message that protobuf can hold
CODE = False
TWIN = "onnx_torch"

_FLOATS = {"tensor(float)": "float32", "tensor(double)": "float64"}
_DTYPES = {**_FLOATS, "tensor(string)": "text"}
_SCORES = (*_FLOATS, "seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")
_QUIET = 4
_TREES = b"TreeEnsembleClassifier"


def claims(data: bytes) -> bool:
    """Say whether ``data`` begins like a ModelProto: field 1, the IR version, a varint, and another field.

    Eight bytes that begin so can also be the length of a safetensors header: then zeros follow.
    """
    return len(data) >= 2 and data[0] == 0x08 and 1 <= data[1] < 0x80 and data[4:8] != bytes(4)


def prepare(_request: Request) -> None:
    """Import numpy and onnxruntime.

    Builds from 1.32 on carry a telemetry client: a thread and a network connection of
    their own, unless this variable is set before the import.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import numpy as np  # noqa: F401, PLC0415 - only the worker pays for it
    import onnxruntime  # noqa: F401, PLC0415 - only the worker pays for it

    with suppress(ImportError):  # without it, trees are attacked and not verified
        import onnx  # noqa: F401, PLC0415 - only the worker pays for it
    _locales.keep()


def load(data: bytes, _request: Request) -> "OnnxModel":
    """Build a session from a model's bytes.

    Raises:
        Unassessable: onnxruntime refuses it, or its inputs and outputs do not fit.
    """
    import onnxruntime  # noqa: PLC0415 - only the worker pays for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    options.use_deterministic_compute = True
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the wall around a hostile file
        raise _failed("model-load", "onnxruntime cannot load the model", error) from error
    return OnnxModel(session, data)


class OnnxModel(Ensemble):
    """A session whose input and scores are known.

    Args:
        session: An ``onnxruntime.InferenceSession``.
        data: The bytes that it was built from.

    Raises:
        Unassessable: The inputs or outputs do not fit.
    """

    def __init__(self, session: Any, data: bytes) -> None:
        self._session = session
        self.forest = opened(lambda: _onnx_trees.arrays(data)) if _TREES in data else None
        inputs = session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(entry.name for entry in inputs)
            raise Unassessable(
                "model-input",
                f"the model has {len(inputs)} inputs ({names}); an assessment feeds exactly one",
            )
        self._input = inputs[0].name
        dtype = _DTYPES.get(inputs[0].type)
        shape = tuple(size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape)
        if dtype is None or not shape:
            raise Unassessable(
                "model-input",
                f"the model's input {self._input} is {inputs[0].type} of shape {list(inputs[0].shape)}; "
                "an assessment feeds float32, float64 or texts, batch first",
            )
        self.signature = Signature(shape, dtype, self.offers)
        self._output = _score_output(session.get_outputs())

    def predict(self, x: "Floats") -> Scores:
        """Score samples; see :class:`mlgate.checks.assessment.model.Model`."""
        import numpy as np  # noqa: PLC0415 - only the worker pays for it

        batch = self.signature.shape[0] or len(x)
        rows, names = [], set()
        for start in range(0, len(x), batch):
            part = x[start : start + batch]
            missing = batch - len(part)
            if missing:
                part = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            values, classes = _table(self._run(part), batch)
            rows.append(values[: batch - missing])
            names.add(classes)
        if len(names) != 1 or len({part.shape[1] for part in rows}) != 1:
            raise Unassessable("model-output", "the model's classes change from batch to batch")
        return Scores(np.concatenate(rows), names.pop())

    def _run(self, part: "Floats") -> Any:
        try:
            return self._session.run([self._output], {self._input: part})[0]
        except Exception as error:  # the wall around a hostile file
            raise _failed("model-run", "the model fails on the data", error) from error


def _failed(reason: str, what: str, error: Exception) -> Unassessable:
    text = str(error)
    if isinstance(error, MemoryError) or "bad_alloc" in text or "allocate memory" in text:
        return Unassessable("worker-memory", f"{what}: it needs more memory than limits.worker_bytes allows")
    return Unassessable(reason, f"{what}: {text}")


def _score_output(outputs: Sequence[Any]) -> str:
    listed = ", ".join(f"{entry.name}: {entry.type}" for entry in outputs)
    return _scores.chosen([entry.name for entry in outputs if entry.type in _SCORES], listed)


def _table(answer: Any, samples: int) -> tuple["Floats", tuple[int | str, ...] | None]:
    """Bring an answer to [n, k], with the classes' names where it tells them."""
    import numpy as np  # noqa: PLC0415 - only the worker pays for it

    if isinstance(answer, list):
        classes = tuple(sorted(answer[0])) if answer and isinstance(answer[0], dict) else ()
        if not classes or any(row.keys() != answer[0].keys() for row in answer):
            raise Unassessable("model-output", "the model's maps of scores do not name the same classes")
        return np.array([[row[name] for name in classes] for row in answer], dtype=np.float32), classes
    _scores.check(answer.shape, samples)
    return answer.reshape(samples, -1), None
