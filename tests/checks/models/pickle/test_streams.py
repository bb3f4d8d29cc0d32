import collections
import datetime as dt
import io
import json
import pickle
import pickletools
import struct
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from tests.checks.models.building import judged, look
from tests.checks.models.pickle import streams_of_opcodes as opcodes
from tests.checks.models.pickle.hostile import BARE, call, short, text

from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.pickle.values import printable
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

ORACLE = Path(__file__).with_name("oracle.py")


def read(data, limits=None):
    reading = Reading(io.BytesIO(data), len(data), limits or Limits(), Clock(100))
    reading.run()
    return reading


def subjects(reading, kind="import"):
    return [event.subject for event in reading.events if event.kind == kind]


def looked_up(streams):
    """What the C unpickler looks up in each stream, in a process that finds nothing real."""
    worker = subprocess.Popen(
        [sys.executable, "-I", "-W", "ignore", str(ORACLE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )

    def feed():
        for data in streams:
            worker.stdin.write(struct.pack("<I", len(data)) + data)
        worker.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    answers = [json.loads(worker.stdout.readline()) for _ in streams]
    feeder.join()
    worker.stdout.close()
    assert worker.wait(timeout=60) == 0
    return answers


KNOWN = [
    pickle.dumps(value, protocol)
    for protocol in range(6)
    for value in (
        {"a": [1, 2, (3, 4)], "b": {1, 2}},
        np.arange(3),
        collections.OrderedDict(a=1),
        dt.date(2020, 1, 1),
        collections.Counter("abc"),
    )
]


@pytest.mark.parametrize("seed", [1, 4, 5, 11])
def test_never_fewer_globals_than_the_c_unpickler_looks_up(seed):
    rng = opcodes.generator(seed)
    streams = [opcodes.made(rng, KNOWN) for _ in range(3000)]
    for data, (found, error) in zip(streams, looked_up(streams), strict=True):
        reading = read(data)
        written = {event.detail["written"] for event in reading.events if event.kind == "import"}
        missed = {printable(f"{module}.{name}") for module, name in found} - written
        assert not missed or subjects(reading, "unresolved"), data
        differs = any(subject.startswith("FRAME") for subject in subjects(reading, "reader-difference"))
        assert error is not None or differs or reading.streams[0].ending == "stop", data


# Each of these once hid a global from the engine.
DIFFERENCES = {
    "frame ends inside a line": b"\x80\x04\x95" + struct.pack("<Q", 3) + b"cxxos\nsystem\n.",
    "frame ends inside a payload": b"\x80\x04\x95" + struct.pack("<Q", 3) + b"\x8c\x02xos\x8c\x06system\x93.",
    "frame inside a frame": b"\x80\x04\x95" + struct.pack("<Q", 10) + b"\x95" + struct.pack("<Q", 12) + b"ccos\nsystem\n.",
    "frame ends inside a frame": b"\x80\x04\x95" + struct.pack("<Q", 3) + b"N\x95\x18" + struct.pack("<Q", 11) + b"cos\nsystem\n.",
    "empty frame inside a frame": b"\x80\x04\x95" + struct.pack("<Q", 13) + b"\x95" + bytes(8) + b"cxxxos\nsystem\n.",
    "lone surrogate": b"\x80\x04\x8c\x03\xed\xa0\x800cos\nsystem\n.",
    "zero byte in a number": b"I1\x00x\n0cos\nsystem\n.",
    "nothing but a zero byte in a number": b"I\x00\x004\n0cos\nsystem\n.",
    "underscore in a memo index": b"I1\np1_0\n0g10\ncos\nsystem\n.",
    "unknown escape in STRING": b"S'\\N{x}'\n0cos\nsystem\n.",
    "BUILD of None": b"]Nb0cos\nsystem\n.",
    "item of a list": b"]K\x00a]0K\x00K\x00s0cos\nsystem\n.",
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_reads_what_the_c_unpickler_reads(name):
    [(found, _)] = looked_up([DIFFERENCES[name]])
    assert ["os", "system"] in found
    assert "os.system" in subjects(read(DIFFERENCES[name]))


def test_renames_below_protocol_3_only():
    assert subjects(read(b"\x80\x02c__builtin__\nxrange\n.")) == ["builtins.range"]
    assert subjects(read(b"\x80\x03c__builtin__\nxrange\n.")) == ["__builtin__.xrange"]


def test_a_dotted_name_counts_from_protocol_4():
    assert not subjects(read(b"\x80\x03cnumpy\nos.system\n."), "dotted")
    assert subjects(read(b"\x80\x04cnumpy\nos.system\n."), "dotted") == ["numpy.os.system"]


def test_the_same_call_is_recorded_once_with_a_count():
    reading = read(pickle.dumps([dt.timedelta(days) for days in range(500)]))
    [event] = [event for event in reading.events if event.kind == "call"]
    assert (event.subject, event.count) == ("datetime.timedelta", 500)


def test_texts_that_vary_without_end_do_not_hide_a_later_one():
    calls = [call("_codecs", "encode", f"word{number}", "latin1")[2:-1] + b"0" for number in range(200)]
    calls.append(call("_codecs", "encode", "x", "rot13")[2:-1])
    reading = read(b"\x80\x02" + b"".join(calls) + b".")
    seconds = {event.detail["args"][1]["value"] for event in reading.events if event.kind == "call"}
    assert seconds == {"latin1", "rot13"}
    assert reading.limit is None


def test_a_million_opcodes_are_executed_once_each():
    data = pickle.dumps({f"key{number}": number for number in range(250_000)}, 2)
    reading = read(data)
    assert reading.streams[0].ending == "stop"
    assert reading.streams[0].opcodes == sum(1 for _ in pickletools.genops(data))


@pytest.mark.parametrize("values", [list(range(5000)), [0.5] * 5000, [1, 300, 70000, None, True, 2.5] * 900])
def test_runs_of_scalars_are_counted_opcode_by_opcode(values):
    data = pickle.dumps(values)
    assert read(data).streams[0].opcodes == sum(1 for _ in pickletools.genops(data))


class Counting(io.BytesIO):
    taken = 0

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        return data


def test_payloads_are_not_read():
    data = pickle.dumps([bytes(8 << 20), bytes(8 << 20)])
    stream = Counting(data)
    reading = Reading(stream, len(data), Limits(), Clock(100))
    reading.run()
    assert reading.streams[0].ending == "stop"
    assert stream.taken < 1 << 20


@pytest.mark.parametrize(
    ("limits", "data", "what"),
    [
        (Limits(opcodes=1000), b"N0" * 200_000 + b".", "opcodes"),
        (Limits(stack=1000), b"N" * 200_000 + b".", "stack"),
        (Limits(stack=1000), b"(" * 200_000 + b".", "stack"),
        (Limits(facts=10), b"".join(b"cm%d\nx\n0" % number for number in range(100)) + b"N.", "facts"),
        (Limits(members=10), pickle.dumps([BARE + b"%d" % number for number in range(100)]), "members"),
    ],
)
def test_a_limit_ends_the_reading_and_what_was_seen_stands(limits, data, what):
    reading = read(data, limits)
    assert isinstance(reading.limit, LimitReached)
    assert reading.limit.what == what


def test_nesting_and_cycles_need_no_recursion():
    assert read(b"]" * 100_000 + b"a" * 99_999 + b".").streams[0].ending == "stop"
    assert read(b"(" + b")\x85" * 1 + b"\x85" * 100_000 + b"t.").streams[0].ending == "stop"
    assert read(b"]q\x00h\x00a.").streams[0].ending == "stop"
    chained = b"cacme\nf\n" * 1000 + b")R" + b"\x85R" * 999 + b"."
    assert read(chained).streams[0].ending == "stop"


def test_doubling_structures_stay_small():
    assert read(b"]" + b"2\x86" * 5000 + b".").streams[0].ending == "stop"


def joblib_bytes(value):
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        np.arange(1000.0),
        {"a": np.ones((3, 4), order="F"), "b": [np.zeros(3, "f4,i8"), np.array("x"), np.array(["ab", "c"])]},
        np.array([{"a": 1}, None], dtype=object),
        [
            np.array([collections.OrderedDict(a=np.arange(3))], dtype=object),
            np.datetime64("2020"),
            np.zeros(0),
        ],
        np.frombuffer(b"cos\nsystem\n" * 50, "u1"),
    ],
)
def test_arrays_between_opcodes_are_stepped_over(value):
    reading = read(joblib_bytes(value))
    assert [stream.ending for stream in reading.streams] == ["stop"]
    assert not subjects(reading, "reader-difference")
    assert "os.system" not in subjects(reading)


def test_an_array_that_reaches_beyond_the_end_is_truncated():
    data = joblib_bytes(np.arange(1000.0))
    assert read(data[:2000]).streams[0].ending == "truncated"


def legacy(items=4, extra=b"", storage=None):
    """A file as ``torch.save`` wrote it before the zip."""
    key = text("17")
    pid = (
        b"("
        + text("storage")
        + b"ctorch\nFloatStorage\n"
        + key
        + text("cpu")
        + b"K"
        + bytes((items,))
        + b"Nt"
    )
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + pid
        + b"QK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    )
    storage = struct.pack("<q", items) + bytes(4 * items) if storage is None else storage
    return (
        pickle.dumps(0x1950A86A20F9469CFC6C, 2)
        + pickle.dumps(1001, 2)
        + pickle.dumps({"little_endian": True}, 2)
        + b"\x80\x02}" + text("weight") + tensor + b"s."
        + pickle.dumps(["17"], 2)
        + storage + extra
    )  # fmt: skip


def test_the_storages_of_a_legacy_torch_file_are_accounted_for():
    reading = read(legacy())
    assert reading.legacy
    assert reading.trailing is None
    assert [stream.ending for stream in reading.streams] == ["stop"] * 5


@pytest.mark.parametrize("data", [legacy(extra=b"\x01" * 9), legacy(storage=b"\x01" * 7)])
def test_other_bytes_behind_a_legacy_torch_file_are_not(data):
    assert read(data).trailing is not None


@pytest.mark.parametrize("padding", [b"", b"\n", b"\r\n", bytes(512)])
def test_padding_behind_the_last_stream_is_no_news(padding):
    assert read(pickle.dumps([1]) + padding).trailing is None


def test_junk_behind_the_last_stream_is_trailing():
    data = pickle.dumps([1])
    assert read(data + b"\x00\x01\x02").trailing == len(data)


def test_a_second_stream_may_use_the_memo_of_the_first():
    data = b"\x80\x04" + short("os") + b"\x94.\x80\x04h\x00" + short("system") + b"\x93."
    assert subjects(read(data)) == ["os.system"]


def test_what_is_cut_off_is_truncated_at_every_length():
    data = pickle.dumps({"a": [1, 2.5, "text", b"bytes"], "b": dt.timedelta(1)}, 4)
    for length in range(2, len(data)):
        assert read(data[:length]).streams[0].ending == "truncated", length


def test_what_a_second_reading_saw_is_no_excuse():
    # The array's bytes are opcodes to other loaders; what they call is called again behind the array.
    calls = b"h\x00)R0"
    state = b"}(X\x05\x00\x00\x00shapeK\x40\x85X\x05\x00\x00\x00dtypecnumpy\ndtype\nX\x02\x00\x00\x00u1K\x00K\x01\x87Ru"
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + state + b"b"
    data = b"\x80\x03cacme\nf\nq\x000" + wrapper + (calls * 12 + b"N.").ljust(64, b".") + calls + b"."
    assert subjects(read(data), "call").count("acme.f") == 1


@pytest.mark.parametrize(
    "state",
    [b"K\1" * 30 + b"Nr\1\0\0\0h\0h\1", b"h\0Nr\1\0\0\0", b"h\0ccollections\nOrderedDict\n)R"],
)
def test_a_state_that_may_be_none_ends_no_stream(state):
    """BUILD with None changes nothing on a text; what a run of numbers or a call left may be None."""
    stream = b"\x80\x02X\1\0\0\0aq\0" + state + b"bcposix\nsystem\n(X\2\0\0\0idtR."
    assert "MLG-PKL-002" in {each.rule for each in judged(look(stream, "m.pkl"))}
