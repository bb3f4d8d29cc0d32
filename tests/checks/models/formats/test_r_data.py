import bz2
import gzip
import lzma
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import called, format_of, judged, kinds, look, reasons

# Types of R, and the flags of an item.
SYM, LIST, CLO, ENV, PROM, LANG, CHAR, LGL, INT, REAL, CPLX, STR, VEC, BCODE, PTR, WEAK, RAW, S4 = (
    1, 2, 3, 4, 5, 6, 9, 10, 13, 14, 15, 16, 19, 21, 22, 23, 24, 25,
)  # fmt: skip
NIL, GLOBAL, NAMESPACE, REF, ALTREP, ATTR, TAG = 254, 253, 249, 255, 238, 0x200, 0x400


def ints(*values):
    return [("i", value) for value in values]


def chars(text):
    return [("i", CHAR | 64 << 12), ("i", len(text.encode("latin-1"))), ("s", text.encode("latin-1"))]


def sym(name):
    return ints(SYM) + chars(name)


def strings(*texts):
    return ints(STR, len(texts)) + [part for text in texts for part in chars(text)]


def vector(*items):
    return ints(VEC, len(items)) + [part for item in items for part in item]


def pairs(*items, kind=LIST):
    out = []
    for name, value in items:
        out += ints(kind | (TAG if name else 0)) + (sym(name) if name else []) + value
        kind = LIST
    return out + ints(NIL)


def call(function, *arguments):
    return pairs(("", sym(function)), *(("", each) for each in arguments), kind=LANG)


def env(*bindings, hashed=False):
    frame = pairs(*bindings)
    held = ints(NIL) + vector(frame) if hashed else frame + ints(NIL)
    return ints(ENV, 0, GLOBAL) + held + ints(NIL)


def promise(expression, where=(("i", GLOBAL),), value=(("i", 252),)):
    return ints(PROM | TAG) + list(where) + list(value) + expression


def closure(body, where=(("i", GLOBAL),)):
    return ints(CLO | TAG) + list(where) + ints(NIL) + body


def bytecode(*constants):
    out = ints(BCODE, 1, INT, 2, 10, 1, len(constants))
    for type_, part in constants:
        out += ints(type_) + part
    return out


def xdr(parts, order=">", mark=b"X\n"):
    out = mark
    for kind, value in parts:
        out += struct.pack(order + "i", value) if kind == "i" else value
    return out


def native(parts):
    return xdr(parts, "<", b"B\n")


def text(parts):
    out = b"A\n"
    for kind, value in parts:
        if kind == "i":
            out += b"%d\n" % value
        elif kind == "s":
            out += b"".join(
                b"\\%03o" % each if not 32 < each < 127 or each == 92 else bytes([each]) for each in value
            )
            out += b"\n"
    return out


HEADER = ints(2, 0x040400, 0x020300)
HEADER3 = [*ints(3, 0x040400, 0x030500, 5), ("s", b"UTF-8")]
ENCODINGS = {"xdr": xdr, "native": native, "text": text}
EVIL = promise(call("system", strings("true")))


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("header", [HEADER, HEADER3], ids=["2", "3"])
def test_a_promise_is_critical(encode, pack, header):
    seen = look(pack(encode([*header, *EVIL])), "model.rds")
    assert ("MLG-RDS-001", "critical") in {(each.rule, each.severity.value) for each in judged(seen)}
    assert not seen.not_checked


@pytest.mark.parametrize("saved", [b"RDX2\n", b"RDX3\n"])
def test_a_promise_among_saved_variables_is_critical(saved):
    seen = look(saved + xdr([*HEADER, *pairs(("model", promise(sym("x"))))]), "m.RData")
    assert [(each.rule, each.severity.value) for each in judged(seen)] == [("MLG-RDS-001", "critical")]
    assert format_of(seen) == "r-data"


PLACES = {
    "alone": lambda item: item,
    "in a list": lambda item: vector(strings("a"), item),
    "in a list of pairs": lambda item: pairs(("a", strings("a")), ("b", item)),
    "as an attribute": lambda item: ints(VEC | ATTR, 0) + pairs(("class", item)),
    "as an attribute of numbers": lambda item: ints(INT | ATTR, 1, 5) + pairs(("class", item)),
    "of an object": lambda item: ints(S4 | ATTR) + pairs(("slot", item)),
    "as a closure's environment": lambda item: closure(sym("x"), item),
    "as a closure's body": closure,
    "below a pointer": lambda item: ints(PTR) + item + ints(NIL),
    "in an expression": lambda item: ints(20, 1) + item,
    "in a call": lambda item: call("f", item),
    "among constants": lambda item: bytecode((PROM, item)),
    "in language among constants": lambda item: bytecode((LANG, ints(NIL, SYM) + sym("f") + ints(LIST, NIL) + ints(PROM) + item + ints(NIL, NIL))),
    "behind a namespace": lambda item: vector(ints(NAMESPACE, 0, 1) + chars("base"), item),
    "behind raw bytes": lambda item: vector([*ints(LGL, 1, 1)], item),
    "behind a reference kept elsewhere": lambda item: vector(ints(247, 0, 1) + chars("key"), item),
    "behind a builtin": lambda item: vector([*ints(8, 1), ("s", b"c")], item),
    "behind a weak reference": lambda item: vector(ints(WEAK), ints(WEAK | ATTR) + ints(NIL), item),
    "as the attribute of a string": lambda item: vector(chars("a"), [("i", CHAR | ATTR), ("i", 1), ("s", b"b"), *item]),
    "shared language among constants": lambda item: bytecode(
        (244, ints(0, LANG, NIL, SYM) + sym("f") + ints(243, 0)), (239, ints(NIL, NIL, SYM) + sym("g") + ints(NIL, NIL)), (BCODE, ints(INT, 1, 0, 1, PROM) + item)
    ),
    "state of an altrep": lambda item: ints(ALTREP) + pairs(("", sym("wrap_real")), ("", sym("base"))) + item + ints(NIL),
}  # fmt: skip


@pytest.mark.parametrize("encode", [xdr, text])
@pytest.mark.parametrize("place", PLACES)
def test_a_promise_is_found_wherever_it_stands(encode, place):
    seen = look(encode([*HEADER, *PLACES[place](promise(sym("x")))]), "m.rds")
    assert not seen.not_checked
    assert "critical" in {each.severity.value for each in judged(seen)}


@pytest.mark.parametrize("hashed", [True, False])
def test_promises_in_the_environment_of_a_function_are_ordinary(hashed):
    inner = closure(call("f", sym("x")), env(("x", promise(sym("y"))), ("z", strings("a")), hashed=hashed))
    seen = look(xdr([*HEADER, *vector(inner, strings("b"))]), "m.rds")
    assert {each.severity.value for each in judged(seen)} <= {"low", "info"}
    assert "r.promise" in kinds(seen)
    assert not seen.not_checked


@pytest.mark.parametrize(
    ("name", "severity"),
    [("system", "high"), ("system2", "high"), ("dyn.load", "high"), ("unlink", "medium")],
)
def test_what_is_called(name, severity):
    inner = env(("x", promise(call(name, strings("x")))))
    assert "critical" in {each.severity.value for each in judged(look(xdr([*HEADER, *inner])))}
    found = judged(look(xdr([*HEADER, *closure(call(name, strings("x")))])))
    assert {each.severity.value for each in found} == {severity, "info"}
    found = judged(look(xdr([*HEADER, *bytecode((SYM, sym(name)))])))
    assert {each.severity.value for each in found} == {severity, "low"}
    assert not judged(look(xdr([*HEADER, *strings(name)])))


@pytest.mark.parametrize("name", [".First", ".Last"])
def test_what_r_calls_by_itself(name):
    saved = b"RDX3\n" + xdr([*HEADER, *pairs(("x", strings("a")), (name, closure(sym("x"))))])
    assert {each.severity.value for each in judged(look(saved, "x.RData"))} == {"high", "info"}
    again = pairs((name, strings("a")))[:-1] + ints(LIST | TAG, REF | 1 << 8) + strings("b") + ints(NIL)
    facts = [fact for fact in look(xdr([*HEADER, *again])).facts if fact.kind == "r.hook"]
    assert [(fact.subject, fact.count) for fact in facts] == [(name, 2)]
    assert not judged(look(xdr([*HEADER, *vector(strings(name), sym(name))])))


def test_a_call_through_a_reference():
    parts = vector(
        sym("system"), pairs(("", ints(REF | 1 << 8)), kind=LANG), pairs(("", ints(REF, 1)), kind=LANG)
    )
    (fact,) = (each for each in look(xdr([*HEADER, *parts])).facts if each.kind != "core.format")
    assert (fact.kind, fact.subject, fact.count) == ("r.call", "system", 2)


def test_a_vector_that_maps_a_file():
    parts = (
        ints(ALTREP) + pairs(("", sym("mmap_real")), ("", sym("base"))) + strings("/etc/passwd") + ints(NIL)
    )
    assert [(each.rule, each.severity.value) for each in judged(look(xdr([*HEADER, *parts])))] == [
        ("MLG-RDS-001", "high")
    ]


def test_a_fitted_model_says_nothing():
    model = vector(
        [*ints(REAL | ATTR, 2), ("s", bytes(16))] + pairs(("names", strings("(Intercept)", "x"))),
        call("lm", sym("formula")),
        pairs(("", sym("~")), ("", sym("y")), kind=LANG | ATTR)[:1]
        + pairs((".Environment", env()))
        + sym("~")
        + ints(NIL),
    )
    seen = look(xdr([*HEADER, *model]), "m.rds")
    assert (judged(seen), seen.not_checked) == ((), ())


@pytest.mark.parametrize("encode", [xdr, native])
def test_numbers_are_passed_over(encode):
    long = [*ints(REAL, -1, 0, 300_000), ("s", bytes(2_400_000))]
    short = [*ints(CPLX, 1), ("s", bytes(16))], [*ints(RAW, 3), ("s", b"abc")]
    seen = look(encode([*HEADER, *vector(long, *short, EVIL)]))
    assert "r.promise" in kinds(seen)
    assert not seen.not_checked


@pytest.mark.parametrize(
    "parts",
    [
        ints(REF | 5 << 8),
        ints(99),
        ints(STR, -5),
        ints(STR, 10**9),
        ints(INT, 10**9),
        ints(STR, 1, INT),
        ints(STR, 1, CHAR | ATTR, 1),
        ints(VEC, 10**9),
        ints(BCODE, -1),
        ints(SYM, CHAR, -7),
        ints(REAL, -1, -1, -1),
        ints(227),
    ],
)
def test_what_is_no_serialization_is_not_checked(parts):
    assert reasons(look(xdr([*HEADER, *vector(strings("abc"), parts)]), "m.rds")) == {"malformed"}


def test_what_came_before_the_damage_stands():
    seen = look(xdr([*HEADER, *vector(EVIL, ints(99))]), "m.rds")
    assert "r.promise" in kinds(seen)
    assert reasons(seen) == {"malformed"}


def test_deep_nesting_needs_no_recursion():
    parts = [part for _ in range(20_000) for part in ints(VEC, 1)] + EVIL
    assert "r.promise" in kinds(look(xdr([*HEADER, *parts])))
    assert reasons(
        look(xdr([*HEADER, *[part for _ in range(5000) for part in ints(VEC, 2)]]), stack=100)
    ) == {"limit"}
    assert reasons(look(xdr([*HEADER, *vector(*[ints(NIL)] * 5000)]), opcodes=100)) == {"limit"}


def test_what_came_before_a_limit_stands():
    seen = look(xdr([*HEADER, *vector(EVIL, *[ints(NIL)] * 5000)]), opcodes=100)
    assert "r.promise" in kinds(seen)
    assert reasons(seen) == {"limit"}


def test_text_with_line_feeds_in_a_string_hides_nothing():
    inside = b"1\n2\n3"
    body = text([*HEADER, *ints(VEC, 2, CHAR, len(inside))]) + inside + b"\n" + text(EVIL)[2:]
    assert "r.promise" in kinds(look(body, "m.rds"))
    assert "r.promise" in kinds(look(b"\n" + text([*HEADER, *EVIL]), "m.rds"))


def test_bytes_behind_are_named():
    assert "core.unaccounted" in kinds(look(xdr([*HEADER, *strings("a")]) + b"behind"))
    assert kinds(look(text([*HEADER, *strings("a b\\c\n")]) + b"\n")) == {"core.format"}


@pytest.mark.parametrize(
    "data", [b"X\nhello there, this is text", b"A\nnumbers 1 2 3", b"B\n\2\0\0\0zzzzzzzzzz", b"X\n\0\0\0\2"]
)
def test_other_content_is_left_alone(data):
    seen = look(data, "x.bin")
    assert not any(record.format == "r-data" for record in seen.inventory)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_cut_anywhere(encode):
    data = encode(
        [*HEADER, *vector(strings("a"), closure(call("f", sym("x")), env()), bytecode((SYM, sym("x"))))]
    )
    for cut in range(len(data) - 1):
        seen = look(data[:cut], "m.rds")
        assert "reader-failed" not in reasons(seen)
        assert seen.not_checked or encode is text


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(list(ENCODINGS.values())), st.sampled_from(sorted(PLACES)), st.data())
def test_no_bytes_break_the_reader(encode, place, data):
    seed = encode([*HEADER, *PLACES[place](EVIL)])
    at = data.draw(st.integers(0, len(seed) - 1))
    changed = seed[:at] + data.draw(st.binary(max_size=9)) + seed[at + data.draw(st.integers(0, 9)) :]
    seen = look(changed, "m.rds")
    assert "reader-failed" not in reasons(seen)
    assert not called(seen)


def test_a_text_that_hides_is_run():
    hidden = closure(
        pairs(("", sym("eval")), ("", call("parse")), ("", call("rawToChar", sym("x"))), kind=LANG)
    )
    assert "high" in {each.severity.value for each in judged(look(xdr([*HEADER, *hidden]), "m.rds"))}
    for name in ("eval", "rawToChar"):
        plain = closure(call(name, sym("x")))
        assert {each.severity.value for each in judged(look(xdr([*HEADER, *plain]), "m.rds"))} == {"info"}


def test_a_promise_that_writes():
    inner = env(("x", promise(call("writeLines", strings("x")))))
    assert "critical" in {each.severity.value for each in judged(look(xdr([*HEADER, *inner]), "m.rds"))}
    assert not {each.severity.value for each in judged(look(xdr([*HEADER, *call("writeLines")]), "m.rds"))}
