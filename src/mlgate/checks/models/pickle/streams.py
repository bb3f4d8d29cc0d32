"""Read a file of pickles to its end: several streams, arrays between opcodes, what follows."""

from contextlib import suppress
from typing import Any, BinaryIO

from msgspec.structs import replace

from mlgate.checks.models.pickle import graph_source, joblib, nested, scipy_source, torch_legacy
from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle.events import Event, Recorder
from mlgate.checks.models.pickle.machine import Machine
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.values import KEEP, Payload, printable
from mlgate.checks.models.pickle.window import Spliced, Window
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

# What a text editor or a block-wise writer leaves behind the last stream.
_PADDING = b"\0\t\n\r "
_LONGEST_PADDING = 1 << 16
# Frames of one stream that end inside an opcode: no pickler writes any, so that one is enough to object.
_SPILLS = 4
# Opcodes that are read a second time count so many times.
_AGAIN = 16
# Pickles that are followed into the bytes of an array.
_STREAMS_IN_ARRAY = 16
# A stream that executes source is read again so far, with so many items of each dict.
_OPCODES_WITH_SOURCE = 500_000
_KEEP_FOR_SOURCE = 1 << 12
_OPCODES_WITH_TEMPLATE = 5_000_000
_SOURCES = 16
# Enough to see whether array bytes could be opcodes.
_PEEK = 4096


class Stream:
    """One pickle of a file.

    Attributes:
        start: Offset of its first byte.
        end: Offset after its last byte, or of the opcode that failed.
        protocol: As its PROTO says; 0 without one.
        opcodes: Executed.
        ending: ``stop``, ``truncated`` or ``broken``.
        error: Why it is not ``stop``.
    """

    __slots__ = ("end", "ending", "error", "opcodes", "protocol", "start")

    def __init__(self, machine: Machine, ending: str) -> None:
        self.start, self.end, self.protocol = machine.start, machine.position, machine.protocol
        self.opcodes, self.ending, self.error = machine.opcodes, ending, machine.error


class Reading:
    """What a file of pickles does.

    Attributes:
        streams: Each pickle, in order; only the last can have failed.
        events: What they do, in the order in which it was first seen.
        nested: Payloads that look like pickles themselves.
        trailing: Offset of bytes after the last stream that nothing explains.
        legacy: Whether this is PyTorch's format before the zip.
        limit: The limit that ended the reading, or None.
        acted: Whether something that could be imported was called, instantiated or mutated.
    """

    def __init__(self, stream: BinaryIO, size: int, limits: Limits, clock: Clock) -> None:
        self.window = Window(stream, size)
        self.streams: list[Stream] = []
        self.nested: list[nested.Nested] = []
        self.trailing: int | None = None
        self.legacy = False
        self.limit: LimitReached | None = None
        self._limits, self._clock = limits, clock
        self._recorder = Recorder(limits.facts)
        self._memo = Memo(self.window)
        self._results: list[Any] = []
        self._storages: dict[str, int] = {}

    @property
    def storages(self) -> dict[str, int]:
        """Bytes of each torch storage that persistent ids name, by its key."""
        return self._storages

    @property
    def events(self) -> list[Event]:
        """Everything recorded so far."""
        return self._recorder.events

    @property
    def acted(self) -> bool:
        """See the class."""
        return self._recorder.acted

    @property
    def imported(self) -> list[Event]:
        """Imports that Python could make."""
        return [event for event in self.events if event.kind == "import" and event.detail["plausible"]]

    def run(self) -> None:
        """Read to the end, or to a limit, which :attr:`limit` then holds."""
        position = 0
        try:
            while position < self.window.size and not self._explained(position):
                stream = self._stream(position)
                if stream.ending != "stop":
                    self._failed(stream)
                    return
                self.streams.append(stream)
                self._clock.spend("members", 1, self._limits.members)
                position = stream.end
        except LimitReached as limit:
            self.limit = limit

    def _failed(self, stream: Stream) -> None:
        began = any(event.detail["stream"] == stream.start for event in self.events)
        declared = self.window.read(stream.start, 1) == b"\x80" and stream.opcodes > 3
        if not self.streams or began or declared:
            self.streams.append(stream)
        else:
            self.trailing = stream.start

    def _explained(self, position: int) -> bool:
        """Say whether what follows a STOP at ``position`` is padding or a legacy file's storages."""
        if not self.streams:
            return False
        left = self.window.size - position
        if len(self.streams) == torch_legacy.STREAMS and torch_legacy.is_legacy(self._results):
            self.legacy = True
            if left == torch_legacy.tail(self._storages):
                return True
        return left <= _LONGEST_PADDING and not self.window.read(position, left).strip(_PADDING)

    def _stream(self, position: int) -> Stream:
        machine = self._machine(position, None)
        ending = self._run(machine)
        if machine.spilled is not None:
            self._from_a_file(machine)
        if machine.graphs:
            self._sources(machine)
        if machine.templates:
            self._templates(machine)
        if machine.missing_memo and len(self._memo):
            # One unpickler that loads several times keeps its memo.
            machine = self._machine(position, self._memo.copy())
            ending = self._run(machine)
        self._memo = machine.memo
        self.nested += machine.nested
        if len(self._results) < torch_legacy.STREAMS:
            self._results.append(machine.result)
            self._storages |= machine.storages
        return Stream(machine, ending)

    def _from_a_file(self, machine: Machine) -> None:
        """Read the stream as C's unpickler does from a file that cannot peek: it drops bytes."""
        window, spilled = self.window, machine.spilled
        self._recorder.note("reader-difference", "FRAME ends inside an opcode", machine.start)
        for _ in range(_SPILLS):
            if spilled is None:
                return
            window = Spliced(window, *spilled)
            recorder = Recorder(self._limits.facts, machine.start)
            other = Machine(window, machine.start, recorder, self._limits, self._clock)
            self._run(other)
            self._recorder.adopt(recorder)
            self._clock.spend("opcodes", other.opcodes, self._limits.opcodes)
            spilled = other.spilled
        raise LimitReached("depth")

    def _sources(self, machine: Machine) -> None:
        """Read a stream again, for the source that it executes: that lies deep in dicts that are not kept."""
        recorder = Recorder(self._limits.facts, machine.start)
        limits = replace(self._limits, opcodes=min(self._limits.opcodes, _OPCODES_WITH_SOURCE))
        other = Machine(self.window, machine.start, recorder, limits, self._clock, keep=_KEEP_FOR_SOURCE)
        found: list[tuple[int, Any]] = []
        try:
            other.run()
            found = other.graphs
        except LimitReached:
            # What is executed stays unknown, which is said below.
            pass
        self._clock.spend("opcodes", other.opcodes, self._limits.opcodes)
        known = dict(found[:_SOURCES])
        for offset, _ in machine.graphs:
            parts = graph_source.parts(known.get(offset))
            texts = None if parts is None else [self._text(part) for part in parts]
            if texts is None or None in texts:
                seen = {"imports": [], "calls": [], "other": ["source that cannot be told"]}
            else:
                seen = graph_source.effects("".join(map(str, texts)))
            self._recorder.note("graph-source", "torch.fx", offset, offset, **seen)

    def _templates(self, machine: Machine) -> None:
        """Read a stream again for the texts that distributions of SciPy execute."""
        found = dict(machine.templates)
        if any(scipy_source.source(state) is None for state in found.values()):
            # Their dicts hold more than is kept at first.
            recorder = Recorder(self._limits.facts, machine.start)
            limits = replace(self._limits, opcodes=min(self._limits.opcodes, _OPCODES_WITH_TEMPLATE))
            other = Machine(self.window, machine.start, recorder, limits, self._clock, keep=_KEEP_FOR_SOURCE)
            with suppress(LimitReached):
                # What is executed beyond a limit stays unknown, which is said below.
                self._behind_arrays(other, recorder)
            self._clock.spend("opcodes", other.opcodes, self._limits.opcodes)
            found |= dict(other.templates)
        for offset, state in found.items():
            part = scipy_source.source(state)
            if type(part) is Payload:
                text = part.size <= scipy_source.LONGEST and self.window.read(part.offset, part.size)
                part = text.decode("utf-8", "replace") if text else None
            told = type(part) is str
            if not told or not scipy_source.ordinary(str(part)):
                self._recorder.note(
                    "executed-text", "scipy.stats", offset, told, told=told, text=printable(str(part or ""))
                )

    def _behind_arrays(self, machine: Machine, recorder: Recorder) -> None:
        """Run a machine to its end, over the arrays between its opcodes."""
        waiting: list[Machine] = []
        while True:
            ending = machine.run()
            if ending == "stop" and waiting and len(waiting) <= self._limits.depth:
                end, machine = machine.position, waiting.pop()
            elif ending == "array" and machine.array is not None and machine.array.size is None:
                waiting.append(machine)
                machine = Machine(self.window, machine.position, recorder, machine.limits, self._clock)
                continue
            elif ending == "array" and machine.array is not None:
                end = self._end(machine.position, machine.array)
            else:
                return
            machine.resume(end)

    def _end(self, offset: int, array: joblib.Array) -> int:
        end = offset + (array.size or 0)
        if array.aligned:
            padding = self.window.read(offset, 1)
            end += 1 + (padding[0] if padding else 0)
        return end

    def _text(self, part: str | Payload) -> str | None:
        if type(part) is str:
            return part
        if type(part) is not Payload or part.size > graph_source.LONGEST:
            return None
        return self.window.read(part.offset, part.size).decode("utf-8", "surrogatepass")

    def _machine(self, position: int, memo: Memo | None) -> Machine:
        self._recorder.stream = position
        return Machine(self.window, position, self._recorder, self._limits, self._clock, memo=memo, keep=KEEP)

    def _run(self, machine: Machine) -> str:
        """Run a machine, and the machines of the pickles that joblib writes in its middle."""
        waiting: list[Machine] = []
        while True:
            ending = machine.run()
            if ending == "stop" and waiting:
                self.nested += machine.nested
                if machine.templates:
                    self._templates(machine)
                end, machine = machine.position, waiting.pop()
                machine.resume(end)
            elif ending == "array":
                inner = self._array(machine)
                if inner is not None:
                    if len(waiting) >= self._limits.depth:
                        raise LimitReached("depth")
                    waiting.append(machine)
                    machine = inner
                elif machine.error:
                    break
            else:
                break
        if waiting:
            waiting[0].error, waiting[0].position = machine.error, machine.position
            machine.recorder.acted = True
            return ending
        return ending if ending != "array" else "truncated" if machine.array else "broken"

    def _array(self, machine: Machine) -> Machine | None:
        """Step over an array, or return the machine that reads its pickled contents."""
        offset, array = machine.position, machine.array
        if array is None or array.size is not None:
            # Contents that are a pickle of their own are read as opcodes either way.
            self._without_arrays(machine)
        if array is None:
            machine.error = "a joblib array whose size cannot be told follows"
            return None
        if array.size is None:
            inner = Machine(self.window, offset, self._recorder, self._limits, self._clock)
            inner.storages = machine.storages
            return inner
        end = self._end(offset, array)
        if end > self.window.size:
            machine.error = "the stream ends inside an array"
            return None
        machine.resume(end)
        return None

    def _without_arrays(self, machine: Machine) -> None:
        """Read on as a loader would that is not joblib: the array's bytes are opcodes to it.

        Behind a STOP the bytes are the next pickle of a loader that loads several.
        """
        if not op.may_act(self.window.read(machine.position, _PEEK)):
            return
        self._clock.spend("stack", len(machine.memo), 16 * self._limits.stack)
        recorder = Recorder(self._limits.facts, machine.start)
        other = machine.fork(recorder)
        for _ in range(_STREAMS_IN_ARRAY):
            ending = other.run()
            self._clock.spend("opcodes", other.opcodes * _AGAIN, self._limits.opcodes)
            if ending != "stop" or other.position >= self.window.size:
                break
            other = Machine(self.window, other.position, recorder, self._limits, self._clock, arrays=False)
        # Noise reaches opcodes too; it does not spell names.
        if any(event.detail.get("plausible") for event in recorder.events):
            self._recorder.note("reader-difference", "opcodes in an array's bytes", machine.position)
            self._recorder.adopt(recorder)
