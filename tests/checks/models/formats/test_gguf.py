import base64
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL as PICKLE
from tests.checks.models.building import Entry, called, elf, format_of, judged, kinds, look, reasons, zipped
from tests.checks.models.configs.honest_templates import TEMPLATES
from tests.checks.models.credentials import GITHUB, HUGGING_FACE

U8, I8, U32, I32, F32, BOOL, STRING, ARRAY, U64, F64 = 0, 1, 4, 5, 6, 7, 8, 9, 10, 12
CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
EVIL = "{{ messages.__class__ }}"


class Writer:
    """Write GGUF field by field, as any version, in any order of bytes, with any lie."""

    def __init__(self, version=3, order="<"):
        self.version, self.order = version, order
        self.pairs, self.tensors = [], []

    def number(self, code, value):
        return struct.pack(self.order + code, value)

    def length(self, value):
        return self.number("I" if self.version == 1 else "Q", value)

    def string(self, text):
        raw = text if isinstance(text, bytes) else text.encode()
        return self.length(len(raw)) + raw

    def value(self, kind, value):
        return self.string(value) if kind == STRING else self.number(CODES[kind], value)

    def add(self, key, kind, value):
        self.pairs.append(self.string(key) + self.number("I", kind) + self.value(kind, value))
        return self

    def array(self, key, kind, values, *, count=None):
        self.pairs.append(self.string(key) + self.number("I", ARRAY) + self.items(kind, values, count=count))
        return self

    def items(self, kind, values, *, count=None):
        head = self.number("I", kind) + self.length(len(values) if count is None else count)
        return head + b"".join(
            each if isinstance(each, bytes) and kind == ARRAY else self.value(kind, each) for each in values
        )

    def raw(self, data):
        self.pairs.append(data)
        return self

    def tensor(self, name, sides, kind, offset):
        sizes = b"".join(self.length(side) for side in sides)
        self.tensors.append(
            self.string(name)
            + self.number("I", len(sides))
            + sizes
            + self.number("I", kind)
            + self.number("Q", offset)
        )
        return self

    def bytes(self, data=b"", *, tensors=None, pairs=None, alignment=32):
        head = b"GGUF" + self.number("I", self.version)
        head += self.length(len(self.tensors) if tensors is None else tensors)
        head += self.length(len(self.pairs) if pairs is None else pairs)
        head += b"".join(self.pairs) + b"".join(self.tensors)
        return head + bytes(-len(head) % alignment) + data if data else head


def good(version=3, order="<"):
    made = Writer(version, order)
    made.add("general.architecture", STRING, "llama").add("general.alignment", U32, 32)
    made.add("llama.rope.freq_base", F32, 10000.0).add("tokenizer.ggml.add_bos_token", BOOL, True)
    made.add("tokenizer.ggml.model", STRING, "gpt2")
    made.array("tokenizer.ggml.tokens", STRING, ["<s>", "{{", "{%", "a", "}}", "%}", "é", "{{}}"])
    made.array("tokenizer.ggml.scores", F32, [0.0] * 8).array("tokenizer.ggml.token_type", I32, [1] * 8)
    made.array("tokenizer.ggml.merges", STRING, ["a b", "{{ }}"])
    made.add("tokenizer.chat_template", STRING, TEMPLATES["chatml"])
    made.array("general.languages", STRING, ["en"]).array(
        "nested", ARRAY, [made.items(U8, [1, 2]), made.items(STRING, ["x"])]
    )
    made.tensor("token_embd.weight", [32, 2], 2, 0).tensor("output.weight", [4, 2], 0, 64).tensor(
        "empty", [0], 0, 96
    )
    return made


def found(data, name="model.gguf"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


@pytest.mark.parametrize(("version", "order"), [(1, "<"), (2, "<"), (3, "<"), (3, ">"), (2, ">")])
@pytest.mark.parametrize("name", ["model.gguf", "weights.bin", "a.png.txt"])
def test_a_sound_file_of_every_version_says_nothing(version, order, name):
    seen = look(good(version, order).bytes(bytes(96)), name)
    assert kinds(seen) == {"core.format"} | ({"core.mismatch"} if name.endswith("txt") else set())
    assert not seen.not_checked
    assert format_of(seen) == "gguf"


def test_files_without_tensors_or_keys_are_sound():
    assert found(Writer().bytes()) == []
    assert found(Writer().add("general.architecture", STRING, "clip").bytes()) == []
    assert found(Writer().tensor("scalar", [], 0, 0).bytes(bytes(4))) == []
    assert found(Writer().tensor("a", [1], 0, 0).bytes(bytes(32))) == []


def test_another_alignment_moves_the_data():
    made = Writer().add("general.alignment", U32, 64).tensor("a", [32], 0, 0).tensor("b", [1], 0, 128)
    assert found(made.bytes(bytes(192), alignment=64)) == []
    wrong = Writer().add("general.alignment", U32, 64).tensor("a", [8], 0, 0).tensor("b", [1], 0, 32)
    assert found(wrong.bytes(bytes(192), alignment=64)) == [("MLG-GGF-003", "high")]


def test_a_type_of_tomorrow_is_no_alarm():
    made = Writer().tensor("a", [4096], 999, 0).tensor("b", [8], 0, 2048).tensor("c", [64], 998, 2080)
    assert found(made.bytes(bytes(4096))) == []


PLACES = {
    "beyond the end": Writer().tensor("a", [64], 0, 0).bytes(bytes(128)),
    "an offset beyond the end": Writer().tensor("a", [1], 0, 1 << 40).bytes(bytes(128)),
    "an offset that wraps": Writer().tensor("a", [8], 0, (1 << 64) - 32).bytes(bytes(128)),
    "nothing behind the header": Writer().tensor("a", [1], 0, 0).bytes(),
    "overlapping": Writer().tensor("a", [16], 0, 0).tensor("b", [16], 0, 32).bytes(bytes(128)),
    "the same place": Writer().tensor("a", [8], 0, 0).tensor("b", [8], 0, 0).bytes(bytes(32)),
    "not aligned": Writer().tensor("a", [1], 0, 4).bytes(bytes(32)),
    "dimensions that overflow": Writer().tensor("a", [1 << 32, 1 << 32], 0, 0).bytes(bytes(32)),
    "dimensions that come to nothing": Writer().tensor("a", [1 << 62, 4, 0], 0, 0).bytes(bytes(32)),
    "a negative side": Writer().tensor("a", [(1 << 64) - 1], 0, 0).bytes(bytes(32)),
    "exabytes of a small type": Writer().tensor("a", [1 << 60], 2, 0).bytes(bytes(32)),
    "rows of half a block": Writer().tensor("a", [33], 2, 0).bytes(bytes(64)),
    "a type out of any table": Writer().tensor("a", [8], (1 << 32) - 1, 0).bytes(bytes(32)),
    "too many dimensions": Writer().tensor("a", [1] * 5, 0, 0).bytes(bytes(32)),
    "dimensions without end": Writer().tensor("a", [], 0, 0).bytes(bytes(32)).replace(b"\1\0\0\0\0\0\0\0a\0\0\0\0", b"\1\0\0\0\0\0\0\0a\xff\xff\xff\xff"),
    "a tensor twice": Writer().tensor("a", [8], 0, 0).tensor("a", [8], 0, 32).bytes(bytes(64)),
    "a key twice": Writer().add("k", U8, 1).add("k", U8, 2).bytes(),
    "alignment of nothing": Writer().add("general.alignment", U32, 0).bytes(),
    "alignment of three": Writer().add("general.alignment", U32, 3).bytes(),
    "alignment of gigabytes": Writer().add("general.alignment", U32, 1 << 31).bytes(),
    "tensors without end": Writer().bytes(tensors=(1 << 64) - 1),
    "keys without end": Writer().bytes(pairs=1 << 61),
    "a text without end": Writer().raw(struct.pack("<Q", 1 << 62)).bytes(),
    "a value without end": Writer().raw(Writer().string("k") + struct.pack("<IQ", STRING, (1 << 64) - 1)).bytes(),
    "a list without end": Writer().array("k", U64, [], count=1 << 61).bytes(),
    "a list of texts without end": Writer().array("k", STRING, [], count=(1 << 64) - 1).bytes(),
    "a text in a list without end": Writer().raw(Writer().string("k") + struct.pack("<IIQQ", ARRAY, STRING, 1, 1 << 63)).bytes(),
    "lists in lists": Writer().raw(Writer().string("k") + struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * 1000).bytes(),
}  # fmt: skip


@pytest.mark.parametrize("data", PLACES.values(), ids=PLACES.keys())
def test_what_cannot_be_true_is_high(data):
    assert set(found(data)) == {("MLG-GGF-003", "high")}


TYPES = {
    "an alignment that is a text": Writer().add("general.alignment", STRING, "32"),
    "an alignment of 64 bits": Writer().add("general.alignment", U64, 32),
    "tokens that are numbers": Writer().array("tokenizer.ggml.tokens", U32, [1]),
    "tokens that are no list": Writer().add("tokenizer.ggml.tokens", STRING, "x"),
    "scores of one byte": Writer().array("tokenizer.ggml.scores", U8, [1]),
    "scores of doubles": Writer().array("tokenizer.ggml.scores", F64, [1.0]),
    "types of one byte": Writer().array("tokenizer.ggml.token_type", U8, [1]),
    "fewer scores than tokens": Writer().array("tokenizer.ggml.tokens", STRING, ["a", "b"]).array("tokenizer.ggml.scores", F32, [1.0]),
    "a template in a list": Writer().array("tokenizer.chat_template", STRING, ["{{ messages }}"]),
    "a named template in a list": Writer().array("tokenizer.chat_template.rag", STRING, ["{{ messages }}"]),
    "tokens in lists in lists": Writer().array("tokenizer.ggml.tokens", ARRAY, [Writer().items(STRING, ["a"])]),
}  # fmt: skip


@pytest.mark.parametrize("made", TYPES.values(), ids=TYPES.keys())
def test_what_loaders_take_for_something_else_is_high(made):
    assert found(made.bytes()) == [("MLG-GGF-004", "high")]


def test_an_empty_list_has_no_type():
    assert found(Writer().array("tokenizer.ggml.scores", U8, []).bytes()) == []


PLACED = {
    "the template": Writer().add("tokenizer.chat_template", STRING, EVIL),
    "a named template": Writer().add("tokenizer.chat_template.tool_use", STRING, EVIL),
    "any key": Writer().add("general.description", STRING, "A model. " + EVIL),
    "a list": Writer().array("general.tags", STRING, ["a", EVIL, "b"]),
    "a list in a list": Writer().array("x", ARRAY, [Writer().items(STRING, ["a"]), Writer().items(STRING, [EVIL])]),
    "behind a vocabulary": Writer().array("x", STRING, ["token"] * 300_000 + [EVIL]),
    "around the end of a block": Writer().array("x", STRING, ["t" * ((1 << 20) - 20), EVIL]),
    "beside honest tokens": Writer().array("x", STRING, ["{{", "}}", "{%", EVIL, "%}"]),
    "a long one": Writer().array("x", STRING, ["{{ messages" + " " * 9000 + ".__class__ }}"]),
    "version 1": Writer(1).add("x", STRING, EVIL),
    "big-endian": Writer(3, ">").array("x", STRING, ["y", EVIL]),
    "before a lie": Writer().add("x", STRING, EVIL).raw(struct.pack("<Q", 1 << 62)),
}  # fmt: skip


@pytest.mark.parametrize("made", PLACED.values(), ids=PLACED.keys())
def test_a_template_is_found_wherever_it_is(made):
    assert ("MLG-GGF-001", "critical") in found(made.bytes())


def test_a_template_is_named_by_its_key():
    (fact,) = [
        f for f in look(PLACED["a named template"].bytes(), "m.gguf").facts if f.kind == "jinja.internals"
    ]
    assert str(fact.location) == "m.gguf!/tokenizer.chat_template.tool_use.jinja:1"


def test_a_model_inside_an_archive_is_read():
    data = zipped(Entry("a/model.gguf", PLACED["the template"].bytes(), method=8))
    assert ("MLG-GGF-001", "critical") in found(data, "m.zip")


def test_credentials_are_found_in_values_and_lists():
    made = Writer().add("general.note", STRING, f"token={HUGGING_FACE}").array("l", STRING, ["a", GITHUB])
    assert found(made.bytes()) == [("MLG-SEC-001", "high")] * 2


def test_every_cut_is_not_checked_or_named():
    data = good().bytes(bytes(96))
    header = len(data) - 96
    for end in range(4, header - 32):
        seen = look(data[:end], "m.gguf")
        assert reasons(seen) == {"truncated"}, end
        assert not [each for each in judged(seen) if each.severity.value in ("high", "critical")]
    for end in range(header, len(data), 8):
        assert found(data[:end]) == [("MLG-GGF-003", "high")]


def test_what_stands_behind_the_tensors_is_looked_at():
    made = Writer().tensor("a", [8], 0, 0)
    assert ("MLG-BIN-001", "high") in found(made.bytes(bytes(32) + elf() + bytes(100)))
    assert found(made.bytes(bytes(32) + b"x")) == [("MLG-COR-003", "medium")]
    assert "posix.system" in called(look(made.bytes(bytes(32) + PICKLE + bytes(100)), "m.gguf"))
    between = Writer().tensor("a", [8], 0, 0).tensor("b", [8], 0, 320)
    assert ("MLG-BIN-001", "high") in found(between.bytes(bytes(32) + elf() + bytes(320 - len(elf()))))


@pytest.mark.parametrize("text", [base64.b64encode(PICKLE).decode(), PICKLE.hex(), PICKLE.decode("latin-1")])
def test_a_pickle_in_a_text_is_found(text):
    assert called(look(Writer().add("general.state", STRING, text).bytes(), "m.gguf")) == {"posix.system"}


def test_a_configuration_in_a_text_is_judged():
    text = '{"auto_map": {"AutoModel": "evil/repo--m.C"}}'
    assert found(Writer().add("general.config", STRING, text).bytes()) == [("MLG-HFR-001", "high")]


def test_bytes_that_no_tensor_covers():
    made = Writer().tensor("a", [8], 0, 0)
    assert found(made.bytes(bytes(32) + b"x" * 40)) == [("MLG-COR-003", "medium")]
    assert found(made.bytes(bytes(32 + 4000))) == []
    between = Writer().tensor("a", [8], 0, 0).tensor("b", [8], 0, 320)
    assert found(between.bytes(bytes(32) + b"x" * 320)) == [("MLG-COR-003", "medium")]


@pytest.mark.parametrize("data", [Writer(4).bytes(), Writer(0).bytes(), Writer(77).bytes()])
def test_other_versions_are_not_checked(data):
    assert reasons(look(data, "m.gguf")) == {"unsupported-format"}


@pytest.mark.parametrize(
    "made", [Writer().raw(Writer().string("k") + struct.pack("<I", 13)), Writer().array("k", 77, [])]
)
def test_a_value_of_an_unknown_type_is_not_checked(made):
    assert reasons(look(made.bytes(), "m.gguf")) == {"unsupported-format"}


def test_a_text_that_begins_with_the_letters_is_a_text():
    seen = look(b"GGUF is the format of llama.cpp, and this is a note about it.", "notes.txt")
    assert not seen.facts
    assert not seen.not_checked
    assert not seen.inventory


def test_limits_are_said():
    many = Writer()
    for n in range(30):
        many.add(str(n), U8, 1)
    assert reasons(look(many.bytes(), "m.gguf", members=20)) == {"limit"}
    assert reasons(look(Writer().add("k", STRING, "x" * 500).bytes(), "m.gguf", text_bytes=100)) == {"limit"}
    assert reasons(look(good().bytes(bytes(96)), "m.gguf", header_bytes=100)) == {"limit"}
    tensors = Writer()
    for n in range(30):
        tensors.tensor(str(n), [0], 0, 0)
    assert reasons(look(tensors.bytes(bytes(32)), "m.gguf", members=20)) == {"limit"}


SEEDS = [good(v, o).bytes(bytes(96)) for v, o in ((1, "<"), (2, "<"), (3, "<"), (3, ">"))] + list(
    PLACES.values()
)


@settings(
    deadline=None, database=None, derandomize=True, max_examples=200, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_mutations_end(data):
    raw = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(4, max(len(raw) - 1, 4)))
        raw[at : at + data.draw(st.sampled_from([0, 1, 4, 8]))] = data.draw(
            st.sampled_from([b"", b"\0", b"\xff" * 4, b"\xff" * 8, b"\x09\0\0\0", b"\x08\0\0\0"])
            | st.binary(max_size=9)
        )
    seen = look(bytes(raw), "m.gguf")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.binary(max_size=200))
def test_any_bytes_end(data):
    assert "reader-failed" not in reasons(look(b"GGUF\3\0\0\0" + data, "m.gguf"))
