"""Read a stream with runs and without, and say all that can be told apart: nothing is left out."""

import io
from contextlib import contextmanager

from mlgate.checks.models.pickle import idioms, memo, window
from mlgate.checks.models.pickle import machine as machines
from mlgate.checks.models.pickle import state as states
from mlgate.checks.models.pickle.events import Recorder
from mlgate.checks.models.pickle.machine import Machine
from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.pickle.values import (
    CONTAINERS,
    KEEP,
    Dict,
    Global,
    Made,
    Payload,
    Persistent,
    Set,
    Unknown,
)
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

NEVER = 1 << 60


@contextmanager
def small(warm, width=4096, exact=60):
    """Small windows, for many borders; the memo is condensed after a few, and soon knows types only."""
    patched = {
        (machines, "_WARM"): warm,
        (machines, "_FAR"): 0,
        (machines, "_PATIENCE"): 7,
        (idioms, "_FIRST"): 256,
        (idioms, "_EACH"): 20,
        (memo, "_EXACT"): exact,
        (states, "WINDOW"): width,
        (states, "_LIGHT"): 1 << 16,
    }
    before = {(module, name): getattr(module, name) for module, name in patched}
    for (module, name), value in patched.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)


def told(recorder):
    """Every event, in order, with all that is said of it."""
    return [(each.kind, each.subject, each.offset, each.count, repr(each.detail)) for each in recorder.events]


def shown(value, seen=None):
    """A value in full. With ``seen``, which of what can change are one and the same."""
    kind = type(value)
    if kind is Global:
        return "global", value.subject
    if kind is Payload:
        return "payload", value.kind, value.offset, value.size
    if kind is Unknown:
        return "unknown", value.what
    if kind not in CONTAINERS and kind not in (Made, Persistent):
        return kind.__name__, repr(value)
    if seen is not None and kind in (list, Dict, Set, Made):
        if id(value) in seen:
            return "again", seen[id(value)][0]
        seen[id(value)] = len(seen), value
    if kind is Made:
        parts = (value.maker, value.args, value.state)
        return "made", value.how, value.depth, value.built, *(shown(each, seen) for each in parts)
    if kind is Persistent:
        return "persistent", shown(value.pid, seen)
    return kind.__name__, *(shown(each, seen) for each in value)


def remembered(entries, seen):
    held = []
    for index in range(len(entries) + 70):
        try:
            value = entries.get(index)
        except KeyError:
            held.append(None)
        else:
            held.append(shown(value, seen if index < len(entries.early) else None))
    return held


def read(data, warm, keep=KEEP, width=4096, exact=60):
    """Return what a machine says of a stream and what it holds then, and how many opcodes it took in runs."""
    with small(warm, width, exact):
        recorder = Recorder(10_000)
        machine = Machine(
            window.Window(io.BytesIO(data), len(data)), 0, recorder, Limits(), Clock(60), keep=keep
        )
        try:
            ending = machine.run()
        except LimitReached as limit:
            ending = f"limit {limit.what}"
        seen = {}
        said = {
            "ending": (ending, machine.error, machine.missing_memo, machine.spilled),
            "place": (machine.opcodes, machine.position, machine.protocol),
            "events": told(recorder),
            "acted": recorder.acted,
            "nested": [
                (each.offset, each.size, each.encoding, each.data, each.loaded) for each in machine.nested
            ],
            # When the memo is condensed and the stack made light depends on these.
            "weighed": (machine._made, machine._rounds),
            "result": shown(machine.result, seen),
            # A stream that broke may do so within an opcode, with what it had taken off already.
            "stack": ending == "stop"
            and [shown(each, seen) for frame in (machine.stack, *machine.marks) for each in frame],
            "memo": (len(machine.memo), machine.memo.dense, remembered(machine.memo, seen)),
        }
    return said, machine.skipped


def read_file(data, warm, width=4096, exact=60):
    """Return what the reading of a whole file says."""
    with small(warm, width, exact):
        reading = Reading(io.BytesIO(data), len(data), Limits(), Clock(60))
        reading.run()
        return {
            "streams": [
                (each.start, each.end, each.protocol, each.opcodes, each.ending, each.error)
                for each in reading.streams
            ],
            "events": told(reading),
            "nested": [
                (each.offset, each.size, each.encoding, each.data, each.loaded) for each in reading.nested
            ],
            "other": (reading.trailing, reading.legacy, reading.acted, reading.limit and reading.limit.what),
            "storages": reading.storages,
        }


def same(data, **options):
    """Read both ways, and return what is said and how many opcodes were taken in runs."""
    exact, none = read(data, NEVER, **options)
    said, skipped = read(data, 0, **options)
    assert none == 0
    for what, value in exact.items():
        assert said[what] == value, what
    return said, skipped
