"""Worker processes for the model check: a file that ends or stalls one costs nothing but its own result.

Workers are forked, so that they know the target without being told, and answer in MessagePack
(or JSON, for what that cannot hold), so that nothing they say is more than data. A file whose
worker ends is given to a new one once; if that ends too, or if it takes longer than its limit,
the file is "not checked".
"""

import json
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct as Layout
from typing import TypeAlias

import msgspec

from mlgate.core.facts import Observations

# What a worker does with the file of a number.
Work: TypeAlias = Callable[[int], Observations]
# What stands for a file that no worker could finish: its number, and the reason.
Lost: TypeAlias = Callable[[int, str], Observations]

# Numbers that a worker is given ahead, so that it need not wait for the next; fewer towards
# the end, so that none has large files waiting while another has nothing to do.
_FEWEST_AHEAD, _MOST_AHEAD = 2, 32
# While they have enough to do, answers gather for so many seconds: waking up for each would
# take a processor from a worker.
_GATHER = 0.002
# Its own clock ends a file in time; this is for what does not look at it.
_GRACE = 15.0
_TASK = Layout("<I")
_ANSWER = Layout("<II?")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Observations)
_PIECE = 1 << 16


def run(  # noqa: PLR0917 - what to do, how often, with how many, and what it may cost
    work: Work, lost: Lost, files: int, count: int, seconds: float, memory: int
) -> Iterator[tuple[int, Observations]]:
    """Yield every file's number with what a worker saw in it, in the order in which they are done.

    Args:
        work: Runs in a worker.
        lost: Says what to report of a file that was not finished: ``timeout`` or ``crashed``.
        files: They are numbered from 0.
        count: Workers.
        seconds: That one file may take, by its own clock.
        memory: Bytes that a worker may allocate.
    """
    pending = deque(range(files))
    deaths: dict[int, int] = {}
    staff = [_Worker(work, memory) for _ in range(count)]
    try:
        while pending or any(worker.given for worker in staff):
            ahead = min(max(len(pending) // (4 * count), _FEWEST_AHEAD), _MOST_AHEAD)
            for worker in staff:
                worker.supply(pending, ahead)
            ready = set(select.select([worker.answers for worker in staff], [], [], 1.0)[0])
            if len(pending) > _MOST_AHEAD:
                time.sleep(_GATHER)
            for place, worker in enumerate(staff):
                alive = worker.answers not in ready or worker.hear()
                yield from worker.heard()
                late = bool(worker.given) and time.monotonic() - worker.since > seconds + _GRACE
                if alive and not late:
                    continue
                worker.end()
                suspect = worker.given.popleft() if worker.given else None
                pending.extendleft(reversed(worker.given))
                if suspect is not None:
                    deaths[suspect] = deaths.get(suspect, 0) + 1
                    if late or deaths[suspect] > 1:
                        yield suspect, lost(suspect, "timeout" if late else "crashed")
                    else:
                        pending.appendleft(suspect)
                staff[place] = _Worker(work, memory)
    finally:
        for worker in staff:
            worker.end()


class _Worker:
    """One process, and what it was given to do.

    Attributes:
        answers: Descriptor that it answers on.
        given: Numbers of its files, the one that it is at first.
        since: When it began with that one.
    """

    def __init__(self, work: Work, memory: int) -> None:
        tasks, self._tasks = os.pipe()
        self.answers, answers = os.pipe()
        self.given: deque[int] = deque()
        self.since = 0.0
        self._buffer = bytearray()
        self._pid = os.fork()
        if not self._pid:
            _serve(work, memory, tasks, answers)
        os.close(tasks)
        os.close(answers)

    def supply(self, pending: deque[int], ahead: int) -> None:
        """Give it files until it has so many ahead."""
        while pending and len(self.given) < ahead:
            if not self.given:
                self.since = time.monotonic()
            try:
                os.write(self._tasks, _TASK.pack(pending[0]))
            except BrokenPipeError:
                return  # it has ended, which its answers will tell
            self.given.append(pending.popleft())

    def hear(self) -> bool:
        """Take in what it has said; False where it has ended."""
        piece = os.read(self.answers, _PIECE)
        self._buffer += piece
        return bool(piece)

    def heard(self) -> Iterator[tuple[int, Observations]]:
        """Yield its complete answers."""
        while len(self._buffer) >= _ANSWER.size:
            number, length, plain = _ANSWER.unpack_from(self._buffer)
            if len(self._buffer) < _ANSWER.size + length:
                return
            data = bytes(memoryview(self._buffer)[_ANSWER.size : _ANSWER.size + length])
            del self._buffer[: _ANSWER.size + length]
            self.given.popleft()
            self.since = time.monotonic()
            if plain:
                yield number, msgspec.convert(json.loads(data), Observations)
            else:
                yield number, _DECODER.decode(data)

    def end(self) -> None:
        """End it, whatever it is doing."""
        os.close(self._tasks)
        os.close(self.answers)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _serve(work: Work, memory: int, tasks: int, answers: int) -> None:
    """Be a worker; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _confine(memory)
        while task := _read(tasks, _TASK.size):
            (number,) = _TASK.unpack(task)
            data, plain = _encoded(work(number))
            _write(answers, _ANSWER.pack(number, len(data), plain) + data)
        code = 0
    finally:
        # Whatever happens here, a worker must not go on as its parent.
        os._exit(code)


def _encoded(seen: Observations) -> tuple[bytes, bool]:
    """Return an answer's bytes, and whether they are JSON.

    Names that are no UTF-8 and numbers beyond 64 bits do not fit into MessagePack.
    """
    try:
        return _ENCODER.encode(seen), False
    except (UnicodeEncodeError, OverflowError):
        return json.dumps(msgspec.to_builtins(seen)).encode(), True


def _confine(memory: int) -> None:
    """Let an allocation beyond the limit fail, where the system knows such limits."""
    import resource  # noqa: PLC0415 - only a worker needs it

    try:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        # The limit counts what was there at the fork too: a large parent must not fail its workers.
        most = _allocated(resource.getpagesize()) + memory
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    except (OSError, ValueError):
        return


def _allocated(page: int) -> int:
    """Return how many bytes of data and stack this process has; 0 where the system does not say.

    Source: proc_pid_statm(5), the sixth field.
    """
    try:
        with Path("/proc/self/statm").open("rb") as numbers:
            return int(numbers.read(256).split()[5]) * page
    except (OSError, IndexError):
        return 0


def _read(descriptor: int, size: int) -> bytes:
    """Read so many bytes, or nothing at the end."""
    data = b""
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        if not piece:
            return b""
        data += piece
    return data


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
