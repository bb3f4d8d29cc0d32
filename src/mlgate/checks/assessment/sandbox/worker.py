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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np

from mlgate.checks.assessment.model import Loader, Request, Scores, Signature
from mlgate.checks.assessment.problems import Unassessable
from mlgate.checks.assessment.sandbox import frames
from mlgate.checks.assessment.sandbox.walls import Wall

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlgate.checks.assessment.model import Floats

MOST_CLASSES = 100_000
_MOST_DIMENSIONS = 8
_MOST_TREE_BYTES = 1 << 30
_OFFERS = frozenset(("gradients", "trees"))
_MOST_TEXT = 500
_TEXT_BYTES = 8  # what a text of a table counts at least
_PIPE_BYTES = 1 << 20
_LAST_SECONDS = 5.0
_WAITS = 2  # as long as it may compute, on a machine that others use too
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
    # Where pandas and pyarrow are installed, scikit-learn imports both, and pyarrow's allocator
    # starts a thread as it is loaded.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


class Worker:
    """A sandboxed process that holds one model.

    Use it as a context manager: leaving it ends the process.

    Args:
        loader: Of the model's format.
        request: What the loader is told.
        memory: Most bytes of address space.
        seconds: Wall time that the start, the loading and each answer may take.
        cpu_seconds: Processor time of the whole process; all answers together may take twice as long.

    Attributes:
        walls: Which walls stand.
        passes: Forward passes so far: samples scored.
        pulls: Backward passes so far: samples whose gradient was computed.

    Raises:
        Unassessable: The process did not come up.
    """

    def __init__(
        self, loader: Loader, request: Request, *, memory: int, seconds: float, cpu_seconds: int
    ) -> None:
        self._seconds = seconds
        # The limit of processor time does not see a process that sleeps.
        self._waited, self._most_waited = 0.0, _WAITS * cpu_seconds
        self.passes = self.pulls = 0
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
            header, _ = self._ask({"do": "start"}, [msgspec.json.encode(request)], 0, seconds)
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
        header, _ = self._ask({"do": "load"}, [data], 0, self._seconds)
        shape, dtype, offers = header.get("shape"), header.get("dtype"), header.get("offers")
        names = header.get("names", [])
        fits = (
            dtype in ("float32", "float64", "text")
            and isinstance(shape, list)
            and 1 <= len(shape) <= _MOST_DIMENSIONS
            and all(size is None or (type(size) is int and 1 <= size < 1 << 31) for size in shape)
            and isinstance(offers, list)
            and isinstance(names, list)
            and all(isinstance(text, str) for text in (*offers, *names))
        )
        if not fits:
            raise _nonsense("a signature that makes no sense")
        self.signature = Signature(
            tuple(shape or ()),
            str(dtype),
            tuple(sorted(_OFFERS & set(offers or ()))),
            tuple(_clean(text) for text in names),
        )
        return self.signature

    def predict(self, x: "Floats", seconds: float | None = None, *, follow: bool = False) -> Scores:
        """Score samples.

        Args:
            x: Samples [n, ...] in the signature's dtype, n at least 1.
            seconds: Wall time for the answer, where less than usual is left.
            follow: True where :meth:`pull` is asked next.

        Returns:
            Finite scores, float64 [n, k].

        Raises:
            Unassessable: The model fails, answers nonsense or takes too long.
        """
        most = len(x) * MOST_CLASSES * 8
        header, given = self._arrays("follow" if follow else "predict", {"x": x}, most, seconds)
        values = given.get("scores")
        if values is None or values.ndim != 2 or values.dtype.kind != "f":
            raise _nonsense("scores without a shape")
        if len(values) != len(x) or not 1 <= values.shape[1] <= MOST_CLASSES:
            raise _nonsense(f"scores of shape {list(values.shape)} for {len(x)} samples")
        if not np.isfinite(values).all():
            raise Unassessable("model-output", "the model's scores are not finite numbers")
        self.passes += len(x)
        return Scores(values.astype(np.float64), _class_names(header.get("classes"), values.shape[1]))

    def pull(self, x: "Floats", weights: "Floats", seconds: float | None = None) -> "Floats":
        """Return the gradient, at the samples last followed, of their weighted scores.

        Args:
            x: Those samples, [n, ...].
            weights: [n, k] How much each score counts.
            seconds: Wall time for the answer, where less than usual is left.

        Returns:
            float64 [n, ...]: not finite where the model's gradients are not, which is a
            fact about the model.

        Raises:
            Unassessable: The model fails, answers nonsense or takes too long.
        """
        _, given = self._arrays("pull", {"weights": weights}, x.size * 8, seconds)
        gradient = given.get("gradient")
        if gradient is None or gradient.shape != x.shape or gradient.dtype.kind != "f":
            raise _nonsense("gradients that do not fit the samples")
        self.pulls += len(x)
        return gradient.astype(np.float64)

    def trees(self) -> "dict[str, NDArray[Any]]":
        """Return the ensemble's structure as named arrays, unchecked.

        Raises:
            Unassessable: The model fails, answers nonsense or takes too long.
        """
        return self._arrays("trees", {}, _MOST_TREE_BYTES, None)[1]

    def columns(self, names: Sequence[str], most: int) -> "dict[str, NDArray[Any]]":
        """Return columns of a table as named arrays, unchecked; without names, what there is.

        Args:
            names: Of the columns.
            most: Bytes that they may take.

        Raises:
            Unassessable: The table cannot be read, or the worker misbehaves.
        """
        wanted = np.array([*names], dtype=object)
        return self._arrays("columns", {"names": wanted}, most, None, most // _TEXT_BYTES)[1]

    def _arrays(
        self, do: str, given: "Mapping[str, NDArray[Any]]", most: int, seconds: float | None, texts: int = 1
    ) -> "tuple[dict[str, Any], dict[str, NDArray[Any]]]":
        described, parts = frames.describe(given)
        allowed = min(self._seconds, seconds or self._seconds)
        header, raw = self._ask({"do": do, "arrays": described}, parts, most, allowed)
        try:
            return header, frames.arrays(header, raw, texts)
        except frames.FrameError as error:
            raise _nonsense(str(error)) from error

    def _ask(
        self, header: Mapping[str, Any], parts: Sequence[bytes], most: int, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        started = time.monotonic()
        if self._waited > self._most_waited:
            self._process.kill()
            raise Unassessable(
                "worker-timeout",
                f"the model was waited for {self._waited:.0f} seconds in all, more than it may compute, and "
                "was stopped; set data.limit if it is honestly slow",
            )
        deadline = started + seconds
        self._transmit(frames.pack(header, sum(map(len, parts))), deadline)
        for part in parts:
            self._transmit(part, deadline)
        answer, raw = self._receive(deadline, most)
        self._waited += time.monotonic() - started
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
        try:
            code = self._process.wait(_LAST_SECONDS)  # its pipes close before it has ended
        except subprocess.TimeoutExpired:
            self._process.kill()
            how = "closed its pipes and was stopped"
        else:
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
    fits = isinstance(names, list) and len(names) == columns and len(set(map(str, names))) == columns
    if not fits or not all(type(name) in (int, str) for name in names):
        raise _nonsense("class names that do not fit the scores")
    return tuple(names)


def _clean(text: object) -> str:
    """Make words from a worker fit for a person's terminal."""
    kept = "".join(letter if letter.isprintable() else " " for letter in str(text)[:_MOST_TEXT])
    return " ".join(kept.split())


def _nonsense(what: str) -> Unassessable:
    return Unassessable("worker-reply", f"the worker that runs the model answered with {what}")
