"""The gate's side of a worker: start it, ask it, disbelieve it, end it.

The model runs in a process of its own that has confined itself (see
:mod:`mlgate.checks.assessment.sandbox.walls`) before it gets a byte of the model. That
process has an empty environment, no descriptors but its pipes, and ``/`` as its
directory. A model that has taken it over can still answer lies, so every answer is
bounded in time, size and shape, and its words are cleaned before a person sees them.
"""

import fcntl
import importlib.util
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mlgate.checks.assessment.model import Loader, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.walls import Wall

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats

MOST_CLASSES = 100_000
_MOST_DIMENSIONS = 8
_MOST_TEXT = 500
_PIPE_BYTES = 1 << 20
_LONGEST_WAIT = (1 << 31) - 1  # milliseconds, in a C int
_REASONS = frozenset(("model-load", "model-input", "model-output", "model-run", "worker-memory"))
_START = (
    "import sys; sys.path += sys.argv[4:]; "
    "from mlgate.checks.assessment.sandbox.inside import main; main(sys.argv[1:4])"
)
# One thread, so that Landlock holds for all of them and a shared runner stays usable.
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class Worker:
    """A sandboxed process that holds one model.

    Use it as a context manager: leaving it ends the process.

    Args:
        loader: Of the model's format.
        memory: Most bytes of address space.
        seconds: Wall time that the start, the loading and each answer may take.
        cpu_seconds: Processor time of the whole process.

    Attributes:
        walls: Which walls stand.
        passes: Forward passes so far: samples scored.

    Raises:
        Unassessable: The process did not come up.
    """

    def __init__(self, loader: Loader, *, memory: int, seconds: float, cpu_seconds: int) -> None:
        self._seconds = seconds
        self._signature: Signature | None = None
        self.passes = 0
        command = [sys.executable, "-I", "-S", "-c", _START, loader.FORMAT, str(memory), str(cpu_seconds)]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
            [*command, *_homes(("mlgate", "msgspec", "yaml", *loader.REQUIRES))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            bufsize=0,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            os.set_blocking(_descriptor(pipe), False)
            _widen(_descriptor(pipe))
        try:
            header, _ = self._receive(time.monotonic() + seconds, 0)
            self.walls = _walls(header)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def load(self, data: bytes) -> Signature:
        """Hand the model's bytes over.

        Raises:
            Unassessable: The model cannot be loaded, or the worker misbehaves.
        """
        header, _ = self._ask({"do": "load"}, memoryview(data), 0, self._seconds)
        shape, dtype = header.get("shape"), header.get("dtype")
        fits = (
            dtype in ("float32", "float64")
            and isinstance(shape, list)
            and 1 <= len(shape) <= _MOST_DIMENSIONS
            and all(size is None or (type(size) is int and 1 <= size < 1 << 31) for size in shape)
        )
        if not fits:
            raise _nonsense("a signature that makes no sense")
        self._signature = Signature(tuple(shape or ()), str(dtype))
        return self._signature

    def predict(self, x: "Floats", seconds: float | None = None) -> Scores:
        """Score samples.

        Args:
            x: Samples [n, ...] in the signature's dtype, n at least 1.
            seconds: Wall time for the answer, where less than usual is left.

        Returns:
            Finite scores, float64 [n, k].

        Raises:
            Unassessable: The model fails, answers nonsense or takes too long.
        """
        body = np.ascontiguousarray(x).reshape(-1).view(np.uint8).data
        allowed = min(self._seconds, seconds or self._seconds)
        header, raw = self._ask(
            {"do": "predict", "shape": list(x.shape)}, body, len(x) * MOST_CLASSES * 8, allowed
        )
        shape, classes = header.get("shape"), header.get("classes")
        if not (isinstance(shape, list) and len(shape) == 2 and all(type(size) is int for size in shape)):
            raise _nonsense("scores without a shape")
        if shape[0] != len(x) or not 1 <= shape[1] <= MOST_CLASSES or len(raw) != shape[0] * shape[1] * 8:
            raise _nonsense(f"scores of shape {shape} for {len(x)} samples")
        values = np.frombuffer(raw, dtype="<f8").reshape(shape)
        if not np.isfinite(values).all():
            raise Unassessable("model-output", "the model's scores are not finite numbers")
        self.passes += len(x)
        return Scores(values, _class_names(classes, shape[1]))

    def _ask(
        self, header: Mapping[str, Any], body: memoryview, most: int, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + seconds
        self._transmit(frames.pack(header, body), deadline)
        self._transmit(body, deadline)
        answer, raw = self._receive(deadline, most)
        if "error" in answer:
            reason = answer["error"] if answer["error"] in _REASONS else "model-run"
            raise Unassessable(reason, _clean(answer.get("message")))
        return answer, raw

    def _transmit(self, data: bytes | memoryview, deadline: float) -> None:
        pipe = _descriptor(self._process.stdin)
        rest = memoryview(data)
        while rest:
            self._wait(pipe, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(pipe, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise self._ended() from None

    def _receive(self, deadline: float, most: int) -> tuple[dict[str, Any], bytes]:
        try:
            length = frames.header_length(self._exactly(frames.PREFIX, deadline))
            header, size = frames.unpack(self._exactly(length, deadline))
        except frames.FrameError as error:
            raise _nonsense(str(error)) from error
        if size > most:
            raise _nonsense(f"{size} bytes where at most {most} fit")
        return header, self._exactly(size, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        pipe = _descriptor(self._process.stdout)
        data = bytearray()
        while len(data) < size:
            self._wait(pipe, select.POLLIN, deadline)
            try:
                piece = os.read(pipe, min(size - len(data), 1 << 20))
            except BlockingIOError:
                continue
            if not piece:
                raise self._ended()
            data += piece
        return bytes(data)

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(min(left * 1000, _LONGEST_WAIT)):
            self._process.kill()
            raise Unassessable(
                "worker-timeout",
                "the model did not answer in time and was stopped; "
                "raise limits.file_seconds if it is honestly slow",
            )

    def _ended(self) -> Unassessable:
        self._process.kill()
        code = self._process.wait()
        how = f"ended by signal {-code}" if code < 0 else f"exited with code {code}"
        return Unassessable(
            "worker-died",
            f"the worker that runs the model {how}; the model may crash its runtime or need more than "
            "limits.worker_bytes of memory",
        )


def _descriptor(pipe: Any) -> int:
    number: int = pipe.fileno()
    return number


def _widen(pipe: int) -> None:
    """Let a whole batch pass at once, where the system allows it."""
    with suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _homes(packages: Iterable[str]) -> list[str]:
    """Return where the gate finds these packages: the worker must use the same ones, and no others."""
    homes = []
    for name in packages:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            homes.append(str(Path(spec.origin).resolve().parent.parent))
    return list(dict.fromkeys(homes))


def _walls(header: dict[str, Any]) -> tuple[Wall, ...]:
    """Read the worker's first words, spoken before it got anything hostile."""
    return tuple(
        Wall(name=str(name), stands=bool(stands), note=str(note))
        for name, stands, note in header.get("walls", ())
    )


def _class_names(names: Any, columns: int) -> tuple[int | str, ...] | None:
    if names is None:
        return None
    fits = isinstance(names, list) and len(names) == columns and len(set(map(repr, names))) == columns
    if not fits or not all(type(name) in (int, str) for name in names):
        raise _nonsense("class names that do not fit the scores")
    return tuple(names)


def _clean(text: object) -> str:
    """Make words from a worker fit for a person's terminal."""
    kept = "".join(letter if letter.isprintable() else " " for letter in str(text)[:_MOST_TEXT])
    return " ".join(kept.split())


def _nonsense(what: str) -> Unassessable:
    return Unassessable("worker-reply", f"the worker that runs the model answered with {what}")
