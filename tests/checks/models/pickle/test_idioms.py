"""Runs of calls and of texts say what reading them opcode by opcode says."""

import array
import collections
import datetime as dt
import decimal
import fractions
import io
import pickle
import random
import re
import struct
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.models.pickle import machine as machines
from mlgate.checks.models.pickle import nested, operands, window
from mlgate.checks.models.pickle import state as states
from mlgate.checks.models.pickle.events import Recorder
from mlgate.checks.models.pickle.machine import Machine
from mlgate.checks.models.pickle.values import KEEP
from mlgate.checks.models.reader import Clock, LimitReached
from mlgate.core.limits import Limits

NEVER = 1 << 60


def read(data, warm, keep=KEEP):
    """Return what a machine says of a stream, and how many opcodes it took in runs.

    What calls were given, and the tuples that hold it, are left out of runs: how an event is shown does not
    count, nor where a result that is called or filled again was first.
    """
    patched = {
        (machines, "_WARM"): warm,
        (machines, "_FAR"): 0,
        # Small windows, for many borders; the memo is condensed after a few of them.
        (states, "WINDOW"): 4096,
        (states, "_LIGHT"): 1 << 17,
    }
    before = {(module, name): getattr(module, name) for module, name in patched}
    for (module, name), value in patched.items():
        setattr(module, name, value)
    try:
        recorder = Recorder(10_000)
        bytes_ = window.Window(io.BytesIO(data), len(data))
        machine = Machine(bytes_, 0, recorder, Limits(), Clock(60), keep=keep)
        try:
            ending = machine.run()
        except LimitReached as limit:
            ending = f"limit {limit.what}"
    finally:
        for (module, name), value in before.items():
            setattr(module, name, value)
    events = {}
    for each in recorder.events:
        each.detail.pop("text", None)
        offset = each.offset if each.kind not in ("fill", "computed-callee") else 0
        key = (each.kind, each.subject, repr(each.detail), offset)
        events[key] = events.get(key, 0) + each.count
    payloads = [(each.offset, each.size, each.encoding) for each in machine.nested]
    said = (ending, machine.error, machine.opcodes, machine.position, len(machine.memo), events, payloads)
    return said, machine.skipped


DAY = dt.date(2020, 1, 1)
OBJECTS = {
    "dates": [DAY + dt.timedelta(number) for number in range(900)],
    "times": [dt.datetime(2020, 1, 1, tzinfo=None) + dt.timedelta(minutes=number) for number in range(900)],  # noqa: DTZ001 - as pickled
    "decimals": [decimal.Decimal(number) / 8 for number in range(900)],
    "fractions": [fractions.Fraction(number, 7) for number in range(900)],
    "complex": [complex(number, 0.5) for number in range(900)],
    "arrays": [array.array("b", b"%d" % number) for number in range(900)],
    "uuids": [uuid.UUID(int=number) for number in range(900)],
    "counters": [collections.Counter("ab" * number) for number in range(400)],
    "words": [f"word{number}" for number in range(2000)],
    "vocabulary": {f"word{number}": number for number in range(2000)},
    "numbered": {number: f"word{number}" for number in range(2000)},
    "words and floats": {f"w{number}": number / 3 for number in range(2000)},
    "long words": [f"encoder.block.{number}.attention.weight" for number in range(900)],
    "umlauts": [f"wört{number}" for number in range(900)],
    "what begins as a pickle": [f"c{number}os system" for number in range(900)],
    "days by word": {f"day{number}": DAY + dt.timedelta(number) for number in range(900)},
    "mixed": [each for number in range(400) for each in (DAY, number, f"w{number}", decimal.Decimal(number))],
}
IN_RUNS = {
    "dates", "times", "decimals", "arrays", "words", "vocabulary", "numbered", "words and floats", "umlauts",
}  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", OBJECTS)
def test_runs_change_nothing(name, protocol):
    # Twice, so that later parts meet what the memo kept of earlier ones.
    data = pickle.dumps([OBJECTS[name], {"again": OBJECTS[name]}, list(OBJECTS[name])], protocol)
    exact, none = read(data, NEVER)
    said, skipped = read(data, 0)
    assert said == exact
    assert none == 0
    assert exact[0] == "stop"
    if name in IN_RUNS and protocol in (2, 4):
        assert skipped > exact[2] // 4


def text(data, short):
    head = b"\x8c" + bytes([len(data)]) if short else b"X" + struct.pack("<I", len(data))
    return head + data


PLAIN = [b"abc", b"w\xc3\xb6rt", b"", b"x" * 9, b"twenty letters in all", b"7.25", b"k" * 30]
ODD = [
    b"\xff", b"\x80abc", b"ab\xc3", b"cposix\nsystem\n", b"cos\nsystem\n(S'id'\ntR.", b"\xc2\x80\x04.",
    b"Y3Bvc2l4CnN5c3RlbQooUyd0cnVlJwp0Ui4=", b"63706f7369780a73797374656d0a", b"\xed\xa0\x80",
]  # fmt: skip
RAW = [
    b"\x07\xe4\x01\x01", b"123456789", b"\x80\x04]\x94.aaaa", b"cos\nsystem\n(S'id'\ntR.", b"\x93" * 9,
    b"ab\ncde\nfgh", b"1cos\nsystem\n0", b"\x7fELF12345", b"x\x9cabcdefgh", b"BZh91AY&SY1", b"(cos\nsystem\n.",
]  # fmt: skip


def turns(chance, count):
    """A stream of turns of a few shapes, most of them alike, some of them odd."""
    short = chance.random() < 0.5
    stream = [b"\x80\x04" if short else b"\x80\x02"]
    stream += [b"(cdatetime\ndate\nr\0\0\0\0", b"cos\nsystem\nr\1\0\0\0"]
    stream += [b"c_codecs\nencode\nr\2\0\0\0X\6\0\0\0latin1r\3\0\0\0"]
    index, known = 4, [3]

    def put(*, kept=False):
        nonlocal index
        index += 1
        if kept:
            known.append(index - 1)
        if chance.random() < 0.002:
            return b"r" + struct.pack("<I", chance.choice((0, 1, index, 1 << 25)))
        return b"\x94" if short else b"r" + struct.pack("<I", index - 1)

    shape = chance.randrange(8)
    for number in range(count):
        if chance.random() < 0.01:
            shape = chance.randrange(8)
        odd = chance.random() < 0.01
        word = (
            chance.choice(ODD) if odd else b"%d" % number if chance.random() < 0.5 else chance.choice(PLAIN)
        )
        callee = bytes([chance.choice((1, 2)) if odd else 0])
        if shape == 0:
            stream += [b"h", callee, text(word, short), put(kept=True), b"\x85", put(), b"R", put()]
        elif shape == 1:
            raw = chance.choice(RAW) if odd else RAW[0]
            stream += [b"h", callee, b"C", bytes([len(raw)]), raw, put(), b"\x85R", put()]
        elif shape == 2:
            inner = [b"h\0h\2", text(word, short), put(kept=True), b"h\3\x86", put(), b"R", put()]
            stream += [*inner, b"\x85", put(), b"R", put()]
        elif shape == 3:
            stream += [text(word, short), put(kept=True)]
        elif shape == 4:
            stream += [
                text(word, short),
                put(kept=True),
                chance.choice((b"K\1", b"M\1\1", b"N", b"G" + bytes(8))),
            ]
        elif shape == 5:
            stream += [b"h\0h", callee, b"h\3\x85\x85\x85R\x85R", put()]
        elif shape == 6:
            stream += [b"h\0j", struct.pack("<I", chance.choice(known)), b"\x85R", put()]
        else:
            stream += [b"h", callee, b"]", put(), chance.choice((b"(K\1K\2e", b"K\1a")), b"\x85R", put()]
        if chance.random() < 0.004:
            stream.append(chance.choice((b"0", b"0h\4", b"2", b"h\0)R", b"\x93", b"(K\1tR", b"b", b"a")))
    return b"".join(stream) + b"t."


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_runs_miss_nothing(seed):
    """Whatever is imported, called or nested is seen; where a text may be any, more may be."""
    chance = random.Random(seed)
    data = turns(chance, 1500)
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data))
        data = data[:at] + chance.randbytes(1) + data[at + 1 :]
    exact, _ = read(data, NEVER)
    said, _ = read(data, 0)
    # As far as the C unpickler goes, or further.
    assert exact[3] <= said[3]
    assert subjects(exact) <= subjects(said)
    assert set(exact[6]) <= set(said[6])
    if exact[0] == "stop":
        assert (said[0], said[2:5]) == ("stop", exact[2:5])


def subjects(said):
    return {(kind, subject if kind != "computed-callee" else "") for kind, subject, *_ in said[5]}


@pytest.mark.parametrize(
    "state", [b"K\1" * 30 + b"Nr\1\0\0\0h\0h\1", b"h\0Nr\1\0\0\0", b"h\0ccollections\nOrderedDict\n)R"]
)
def test_a_state_that_may_be_none_ends_no_stream(state):
    stream = b"\x80\x02X\1\0\0\0aq\0" + state + b"bcposix\nsystem\n(X\2\0\0\0idtR."
    assert ("call", "posix.system") in subjects(read(stream, NEVER)[0])


def listed(*texts):
    """A list of texts, each with its memo entry, among many others."""
    around = [f"word{number}".encode() for number in range(900)]
    return b"\x80\x04(" + b"".join(text(each, True) + b"\x94" for each in [*around, *texts, *around]) + b"t."


@pytest.mark.parametrize(
    ("texts", "ending"),
    [
        ([b"ab", b"cd"], "stop"),
        ([b"ab\xff"], "broken"),
        ([b"ab\xc3", b"\xa4cd"], "broken"),
        ([b"ab\xc3"], "broken"),
        ([b"\xed\xa0\x80"], "stop"),
    ],
)
def test_a_run_holds_texts(texts, ending):
    exact, _ = read(listed(*texts), NEVER)
    said, skipped = read(listed(*texts), 0)
    assert said == exact
    assert said[0] == ending
    assert skipped


@pytest.mark.parametrize("word", [each for each in ODD if nested.encoding(each, text=True)])
def test_a_run_holds_no_pickle(word):
    exact, _ = read(listed(word), NEVER)
    said, skipped = read(listed(word), 0)
    assert said == exact
    assert len(said[6]) == 1
    assert skipped


def test_where_source_is_rebuilt_nothing_is_left_out():
    assert read(listed(b"x"), 0)[1]
    assert not read(listed(b"x"), 0, keep=KEEP + 1)[1]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.binary(max_size=40), st.sampled_from(ODD + RAW + PLAIN)))
def test_what_is_taken_unseen_holds_no_pickle(data):
    short = re.compile(operands.short_text(0x8C, 40), re.DOTALL)
    if short.fullmatch(text(data, True)):
        assert len(data) <= operands.SHORT or (nested.encoding(data, text=True) is None or data[:1].isascii())
        if data.isascii() and len(data) > operands.SHORT:
            assert data[:1].decode() not in nested.PLAIN_STARTS
    if re.compile(operands.short_bytes(), re.DOTALL).fullmatch(b"C" + bytes([len(data)]) + data):
        assert len(data) <= operands.SHORT or nested.encoding(data) is None
