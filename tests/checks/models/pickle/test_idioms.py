"""Runs of calls and of texts say what reading them opcode by opcode says, and hold what it holds."""

import array
import collections
import datetime as dt
import decimal
import fractions
import importlib
import io
import pickle
import random
import re
import struct
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.pickle.both_ways import NEVER, read, read_file, same
from tests.checks.models.pickle.calls_of_many_shapes import ODD, PLAIN, RAW, Maker, mutated, text

from mlgate.checks.models.pickle import machine as machines
from mlgate.checks.models.pickle import nested, operands, turns
from mlgate.checks.models.pickle.memo import Memo
from mlgate.checks.models.pickle.streams import Reading
from mlgate.checks.models.pickle.values import KEEP
from mlgate.checks.models.pickle.window import Window
from mlgate.checks.models.reader import Clock
from mlgate.core.limits import Limits

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
    "dates", "times", "decimals", "complex", "arrays", "words", "vocabulary", "numbered", "words and floats",
    "umlauts",
}  # fmt: skip


@pytest.mark.parametrize("exact", [60, 20_000])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", OBJECTS)
def test_runs_change_nothing(name, protocol, exact):
    # Twice, so that later parts meet what the memo kept of earlier ones.
    data = pickle.dumps([OBJECTS[name], {"again": OBJECTS[name]}, list(OBJECTS[name])], protocol)
    said, skipped = same(data, exact=exact)
    assert said["ending"][0] == "stop"
    if name in IN_RUNS and protocol in (2, 4):
        assert skipped > said["place"][0] // 4


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_runs_of_any_shape_change_nothing(seed):
    chance = random.Random(seed)
    maker = Maker(chance, chance.choice((0.0, 0.002, 0.01, 0.05)))
    data = mutated(chance, maker.stream(chance.choice((300, 1500))))
    same(data, width=chance.choice((700, 1500, 4096, 131_072)), exact=chance.choice((1, 60, 20_000)))


def test_most_of_such_streams_are_read_in_runs():
    streams = [Maker(random.Random(seed), 0.002).stream(1500) for seed in range(20)]
    readings = [read(data, 0) for data in streams]
    taken = sum(skipped for _, skipped in readings)
    assert taken > sum(said["place"][0] for said, _ in readings) // 4


CORPUS = {
    "hostile": ("numpy_joblib", "pickle_calls", "pickle_evasion", "pickle_gadgets", "pickle_states", "pickle_strings", "torch_files"),
    "honest": ("arrays", "standard", "torch_models"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "module"), [(kind, each) for kind, names in CORPUS.items() for each in names]
)
def test_the_corpus_is_read_the_same(kind, module):
    samples = importlib.import_module(f"tests.corpus.{kind}.{module}").samples()
    files = [data for each in samples for data in each.files.values() if type(data) is bytes]
    assert files
    for data in files:
        head = data[: 1 << 18]
        assert read_file(head, 0) == read_file(head, NEVER)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_files_of_several_streams_are_read_the_same(seed):
    chance = random.Random(seed)
    data = b"".join(Maker(chance, 0.002).stream(200) for _ in range(3))
    assert read_file(data, 0) == read_file(data, NEVER)


HEAD = b"\x80\x04(cdatetime\ndate\n\x94"
LOADS = b"ctorch.storage\n_load_from_bytes\n"
N = 900


def entry(index):
    return b"j" + struct.pack("<I", index)


def test_an_entry_that_is_written_twice_moves_no_other():
    pad = b"".join(text(b"p%d" % number, True) + b"\x94" for number in range(20)) + b"N"
    turn = b"h\0C\4\7\xe4\1\1\x94\x85r%bR"
    body = b"".join(turn % struct.pack("<I", 21 + number) for number in range(N))
    words = text(b"os", True) + b"\x94" + text(b"system", True) + b"\x94"
    said, _ = same(HEAD + pad + body + words + entry(21 + N) + entry(22 + N) + b"\x93t.")
    assert "os.system" in [each[1] for each in said["events"] if each[0] == "import"]


@pytest.mark.parametrize(
    "tail",
    [
        LOADS + entry(2 + 3 * 500) + b"R",
        LOADS + entry(1 + 3 * 500) + b"\x85R",
        entry(3 + 3 * 500) + b"Nb" + entry(3 + 3 * 510) + b"Nb",
        b"0Nb0Nb",
        entry(3 + 3 * 500) + b")R",
    ],
)
def test_what_runs_leave_is_used_later(tail):
    body = b"h\0C\x0cN\x82\x01)R.aaaaaa\x94\x85\x94R\x94" * N
    _, skipped = same(HEAD + body + tail + b"t.", exact=20_000)
    assert skipped > N


@pytest.mark.parametrize("end", [b"e", b"t", b"l", b"0e", b"Ne", b"2e"])
@pytest.mark.parametrize("before", [0, 5, 15, 16, 40])
@pytest.mark.parametrize("turn", [b"h\0K\1\x85R", b"\x8c\4word", b"\x8c\4wordK\1", b"\x8c\4word\x94"])
def test_of_what_a_list_gets_what_it_keeps_is_known(turn, before, end):
    items = b"N" * before + turn * 100
    start = b"(" if end in b"tl" else b"]("
    # A call shows what the list holds.
    same(HEAD + turn * 30 + b"h\0" + start + items + end + b"\x85Rt.")


def test_dtypes_are_remembered_one_by_one():
    turn = text(b"f8", True) + b"\x94\x85\x94R\x94"
    same(b"\x80\x04(cnumpy\ndtype\n\x94" + (b"h\0" + turn) * N + b"t.", exact=1)


def test_runs_of_numbers_within_a_turn_are_not_told_apart():
    # Of so many bytes of numbers the ordinary loop keeps none; calls with such arguments are recorded
    # beside those with twelve whole numbers.
    whole = b"h\0(K\1" + b"2" * 11 + b"tR0"
    turn = b"h\0h\0(K\1" + (b"J" + struct.pack("<i", 7)) * 11 + b"tR\x85R"
    same(HEAD + whole * 3 + turn * N + b"t.", exact=20_000)


def test_of_a_tuple_in_a_tuple_no_more_is_kept_than_of_any():
    turn = b"h\0(" + b"h\1" * 17 + b"t\x94\x85R"
    _, skipped = same(HEAD + b"K\7\x94" + turn * N + b"t.", exact=20_000)
    assert not skipped


@pytest.mark.parametrize("index", [0, 150, 199, 201, 230, 5000])
def test_a_text_with_another_index_than_the_next_ends_a_run(index):
    places = [*range(200), index, *range(201, 400)]
    words = b"".join(text(b"w%d" % n, False) + b"r" + struct.pack("<I", at) for n, at in enumerate(places))
    _, skipped = same(b"\x80\2(" + text(b"word", False) * 900 + words + b"t.")
    assert skipped


def test_a_run_of_numbers_behind_a_run_of_texts_is_one():
    same(b"\x80\2(" + (text(b"word", False) + b"K\1") * 900 + b"K\1" * 60 + b"l.")
    same(b"\x80\2N(" + (text(b"word", False) + b"K\1") * 900 + b"K\1" * 60 + b"0" * 59 + b"\x86.")


def test_results_of_a_condensed_memo_are_one_for_each_that_asks():
    made = b"h\0C\1a\x85\x94R\x94"
    turn = b"h\0" + entry(2 + 2 * N) + b"\x85R"
    said, skipped = same(HEAD + made * N * 4 + b"1(" + turn * 60 + b"t.", exact=1)
    assert skipped > N
    assert "again" not in repr(said["result"])


@pytest.mark.parametrize("idioms", [3, 200])
def test_only_so_many_expressions_are_compiled(idioms, monkeypatch):
    """Every idiom is one of its own, and compiling it takes longer than reading it."""
    compiled = []
    kept = re.compile
    monkeypatch.setattr(re, "compile", lambda *args: compiled.append(args) or kept(*args))
    words = [text(b"w%d" % number, True) for number in range(idioms)]
    body = b"".join((b"h\0" + word + b"\x85R0N0") * 3 + (b"h\0" + word + b"\x85R") * 200 for word in words)
    reading = Reading(io.BytesIO(HEAD + body + b"t."), len(HEAD + body) + 2, Limits(), Clock(60))
    monkeypatch.setattr(machines, "_WARM", 0)
    reading.run()
    compiled = [args for args in compiled if b"h\0" in args[0]]
    assert len(compiled) <= 2 * max(1, reading.streams[0].opcodes // 10_000)


@pytest.mark.parametrize("turn", [b"h\0X\2\0\0\0%02d\x94\x85R", b"X\2\0\0\0%02d\x94"])
def test_texts_are_remembered_as_each_opcode_has_them(turn):
    known = b"".join(b"h\0X\2\0\0\0%02d\x85R0" % number for number in range(40))
    same(HEAD + known + b"".join(turn % (number % 90) for number in range(4 * N)) + b"t.", exact=60)


def listed(*words):
    """A list of texts, each with its memo entry, among many others."""
    around = [f"word{number}".encode() for number in range(900)]
    return b"\x80\x04(" + b"".join(text(each, True) + b"\x94" for each in [*around, *words, *around]) + b"t."


@pytest.mark.parametrize(
    ("words", "ending"),
    [
        ([b"ab", b"cd"], "stop"),
        ([b"ab\xff"], "broken"),
        ([b"ab\xc3", b"\xa4cd"], "broken"),
        ([b"ab\xc3"], "broken"),
        ([b"\xed\xa0\x80"], "stop"),
    ],
)
def test_a_run_holds_texts(words, ending):
    said, skipped = same(listed(*words))
    assert said["ending"][0] == ending
    assert skipped


@pytest.mark.parametrize("word", [each for each in ODD if nested.encoding(each, text=True) and len(each) > 8])
def test_a_run_holds_no_pickle(word):
    said, skipped = same(listed(word))
    assert len(said["nested"]) == 1
    assert skipped


def test_where_source_is_rebuilt_nothing_is_left_out():
    assert read(listed(b"x"), 0)[1]
    assert not read(listed(b"x"), 0, keep=KEEP + 1)[1]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.binary(max_size=40), st.sampled_from(ODD + RAW + PLAIN)))
def test_what_is_taken_unseen_holds_no_pickle(data):
    try:
        words = data.decode()
    except UnicodeDecodeError:
        # No run takes it.
        words = ""
    # What the ordinary loop would look at.
    starts = nested.PLAIN_STARTS | (
        nested.CODED_STARTS if len(words) >= nested.SHORTEST_CODED else frozenset()
    )
    looked = len(data) > nested.SHORTEST and words[:1] in starts
    for opcode in (0x8C, 0x58):
        if re.fullmatch(operands.short_text(opcode, 40), text(data, opcode == 0x8C), re.DOTALL):
            assert not looked
    if re.fullmatch(operands.short_bytes(), b"C" + bytes([len(data)]) + data, re.DOTALL):
        assert len(data) <= operands.SHORT or nested.encoding(data) is None


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.one_of(st.binary(max_size=60), st.integers(0, 1 << 32)))
def test_opcodes_of_any_kind_are_followed_without_an_error(data):
    if type(data) is int:
        data = Maker(random.Random(data), 0.1).turn(data % 12, 1)
    turns.follow(data + bytes(512), 0, len(data), Memo(Window(io.BytesIO(b""), 0)))


def seconds(data):
    start = time.process_time()
    reading = Reading(io.BytesIO(data), len(data), Limits(), Clock(1000))
    reading.run()
    assert reading.streams[0].ending == "stop"
    return time.process_time() - start


@pytest.mark.parametrize("every", [2, 9, 40, 400])
def test_runs_that_break_off_cost_no_more_than_none(every):
    """A text that is none, or an index that is not the next, is met again and again."""
    head = HEAD + b"".join(b"h\0" + text(b"v%d" % number, True) + b"\x85R0" for number in range(40))
    turn, bad = b"h\0\x8c\4abcd\x85R", b"h\0\x8c\3\xed\xa0\x80\x85R"
    broken = head + (turn * every + bad) * (120_000 // every) + b"t."
    plain = head + (b"h\0K\1\x85R0N") * 120_000 + b"t."
    # Reading opcode by opcode takes about as long as this; ten times that would be a square.
    assert seconds(broken) < 10 * seconds(plain) + 1
