import io
import pickle
import random
import struct

import pytest
from tests.checks.models.pickle import streams_of_opcodes as opcodes
from tests.checks.models.pickle.hostile import short, text
from tests.checks.models.pickle.test_streams import KNOWN, looked_up, read, subjects

from mlgate.checks.models.pickle import state, weight
from mlgate.checks.models.pickle.memo import HOLE, Memo
from mlgate.checks.models.pickle.values import UNKNOWN, Dict, Global, Made, printable
from mlgate.checks.models.pickle.window import Window
from mlgate.checks.models.reader import LimitReached


def memo(data=b""):
    return Memo(Window(io.BytesIO(data), len(data)))


@pytest.fixture
def condensed(monkeypatch):
    """Every memo holds offsets from its first entry on."""
    made = Memo.__init__

    def begin(self, window):
        made(self, window)
        self.condense()

    monkeypatch.setattr(Memo, "__init__", begin)


@pytest.mark.parametrize("late", [False, True])
def test_the_memo_is_a_table_by_index(late):
    rng = random.Random(3)
    subject, model = memo(), {}
    if late:
        subject.condense()
    for number in range(4000):
        index = rng.choice(
            (len(model), rng.randrange(50), len(model) + rng.randrange(40), 10_000 + rng.randrange(9))
        )
        subject.put(index, number)
        model[index] = number
        assert len(subject) == len(model)
    assert all(subject.get(index) == value for index, value in model.items())
    for index in (-1, 9_999, 1 << 40):
        with pytest.raises(KeyError):
            subject.get(index)
    other = subject.copy()
    other.put(0, "other")
    assert subject.get(0) == model[0]


def test_what_was_never_written_is_not_there():
    subject = memo()
    subject.put(1, "one")
    assert not subject.dense
    with pytest.raises(KeyError):
        subject.get(0)
    subject.put(0, "zero")
    assert subject.dense
    assert [subject.get(0), subject.get(1)] == ["zero", "one"]
    assert HOLE not in subject.early


def test_what_could_grow_is_forgotten_but_for_its_type():
    subject = memo()
    subject.put(0, ["a"])
    subject.condense()
    subject.put(1, Dict(["a", 1]))
    maker = Global("a", "f", "a.f", dotted=False)
    subject.put(2, Made(maker, ("x",), "call"))
    assert subject.get(0) == [UNKNOWN]
    assert type(subject.get(1)) is Dict
    assert subject.get(2).args == ("x",)
    for index in range(3, 30_000):
        subject.put(index, Made(maker, ("x",), "call"))
    assert (subject.get(29_999).maker, subject.get(29_999).args) == (maker, None)
    dtype = Global("numpy", "dtype", "numpy.dtype", dotted=False)
    subject.put(30_000, Made(dtype, ("f8",), "call"))
    assert subject.get(30_000).args == ("f8",)


def test_entries_without_end_that_are_far_apart_are_a_limit():
    subject = memo()
    with pytest.raises(LimitReached):
        for index in range(1000, 1 << 30, 1000):
            subject.put(index, None)


@pytest.mark.parametrize("seed", [21, 22])
def test_a_condensed_memo_hides_no_global(seed, condensed):
    rng = opcodes.generator(seed)
    streams = [opcodes.made(rng, KNOWN) for _ in range(2000)]
    for data, (found, _) in zip(streams, looked_up(streams), strict=True):
        reading = read(data)
        written = {event.detail["written"] for event in reading.events if event.kind == "import"}
        missed = {printable(f"{module}.{name}") for module, name in found} - written
        assert not missed or subjects(reading, "unresolved"), data


@pytest.mark.parametrize("protocol", [2, 4])
def test_late_texts_are_read_again_from_the_file(protocol):
    words = {f"key{number}": number for number in range(120_000)}
    data = pickle.dumps([words, "os", "system"], protocol)[:-1]
    names = data.rindex(b"os"), data.rindex(b"system")
    index = len(words) + 2
    # Behind everything else the two texts are what is imported.
    first, second = (b"j" + struct.pack("<I", index + place) for place in (0, 1))
    reading = read(b"\x80\x04" + data[2:] + first + second + b"\x930.")
    assert names[0] < names[1]
    assert reading.streams[0].ending == "stop"
    assert subjects(reading) == ["os.system"]


def test_texts_in_a_condensed_memo_name_what_is_imported(condensed):
    for first, second in ((short("os"), short("system")), (text("os"), text("system"))):
        for put in (b"\x94%s\x94", b"q\x00%sq\x01", b"r\x00\x00\x00\x00%sr\x01\x00\x00\x00"):
            data = b"\x80\x04" + first + put % second + b"h\x00h\x01\x93."
            assert subjects(read(data)) == ["os.system"]


def test_python_2_begins_its_memo_at_one(condensed):
    assert subjects(read(b"\x80\x02U\x02osq\x01U\x06systemq\x02h\x01h\x02\x93.")) == ["os.system"]


def test_a_heavy_stack_is_made_light_and_hides_nothing(monkeypatch):
    monkeypatch.setattr(state, "_LIGHT", 1 << 16)
    filler = text("x" * 250) * 3000
    reading = read(b"\x80\x04cos\nsystem\n(" + filler + b"tR.")
    assert "os.system" in subjects(reading, "call")
    # A name that was forgotten is one that nobody can read.
    hidden = b"\x80\x04" + text("os") + text("system") + filler + b"0" * 3000 + b"\x93."
    assert subjects(read(hidden)) == ["os.system"] or subjects(read(hidden), "unresolved")
    called = b"\x80\x02(cos\nsystem\n" + filler + b"o."
    assert "os.system" in subjects(read(called), "call")


def test_weighing_counts_what_is_shared_once_and_ends():
    shared = ["x" * 200] * 16
    shared.append(shared)
    assert not weight.heavier([[shared] * 100_000], 1 << 20)
    assert weight.heavier([["x" * 200 for _ in range(10)]], 1 << 10)
    assert weight.heavier([[Made(UNKNOWN, (["y" * 2000],), "call")]], 1 << 10)
    frame = [["a"], "b", 1, UNKNOWN]
    forms = weight.light()
    weight.lighten(frame, 0, 3, forms)
    assert frame == [[UNKNOWN], UNKNOWN, 1, UNKNOWN]


def test_what_one_stream_adds_to_a_light_list_is_in_no_other():
    for _ in range(2):
        frame = [["a"]]
        weight.lighten(frame, 0, 1, weight.light())
        frame[0].append("left behind")
        assert frame == [[UNKNOWN, "left behind"]]
