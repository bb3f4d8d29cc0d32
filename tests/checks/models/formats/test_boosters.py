import base64
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, Entry, format_of, judged, kinds, look, reasons, zipped


def tree(left=(1, -1, -1), right=(2, -1, -1), nodes=3):
    return {
        "left_children": list(left),
        "right_children": list(right),
        "tree_param": {"num_nodes": str(nodes)},
    }


def learner(*trees, **attributes):
    model = {"gbtree_model_param": {"num_trees": str(len(trees))}, "trees": list(trees)}
    return {
        "learner": {
            "attributes": {"scikit_learn": '{"_estimator_type": "classifier"}', **attributes},
            "gradient_booster": {"model": model, "name": "gbtree"},
            "objective": {"name": "binary:logistic"},
        },
        "version": [3, 2, 0],
    }


def ubj(value):
    """Write UBJSON as XGBoost does: lengths of 64 bits, whole numbers in typed arrays."""
    if isinstance(value, dict):
        pairs = (b"L" + struct.pack(">q", len(key)) + key.encode() + ubj(each) for key, each in value.items())
        return b"{" + b"".join(pairs) + b"}"
    if isinstance(value, list) and value and all(type(each) is int for each in value):
        return b"[$l#L" + struct.pack(">q", len(value)) + struct.pack(f">{len(value)}i", *value)
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubj, value))
    if isinstance(value, int):
        return b"l" + struct.pack(">i", value)
    return b"SL" + struct.pack(">q", len(value.encode())) + value.encode()


def forms(model):
    return {"m.json": json.dumps(model).encode(), "m.ubj": ubj(model)}


LIGHT = """tree
version=v4
num_class=1
objective=binary sigmoid:1
tree_sizes=1 2

Tree=0
num_leaves={leaves}
num_cat=0
left_child={left}
right_child={right}
leaf_value=0.1 0.2 0.3

Tree=1
num_leaves=1
leaf_value=0.5

end of trees

parameters:
[boosting: gbdt]
end of parameters

pandas_categorical:null
"""
GOOD_LIGHT = LIGHT.format(leaves=3, left="1 -1", right="-2 -3")


def cat(*, size=None, root=16, field=4, length=6):
    vtable = struct.pack("<HHH", length, 8, field)
    body = (
        struct.pack("<I", root)
        + bytes(4)
        + vtable
        + bytes(2)
        + struct.pack("<iI", 8, 0)
        + b"FlabuffersModel_v1"
    )
    return b"CBM1" + struct.pack("<I", len(body) if size is None else size) + body


def crf(*, size=None, place=48):
    whole = 200
    header = (
        b"lCRF"
        + struct.pack("<I", whole if size is None else size)
        + b"FOMC"
        + struct.pack("<IIII", 100, 0, 3, 5)
    )
    return (header + struct.pack("<5I", place, 60, 70, 80, 90)).ljust(whole, b"\0")


def found(data, name):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


OLD = b"binf" + bytes(136) + struct.pack("<Q", 15) + b"binary:logistic" + bytes(100)


@pytest.mark.parametrize(
    ("name", "data", "format_"),
    [
        *((name, data, "xgboost") for name, data in forms(learner(tree(), tree((-1,), (-1,), 1))).items()),
        ("empty.ubj", ubj(learner()), "xgboost"),
        ("m.bin", OLD, "xgboost"),
        ("m.model", OLD[4:], "xgboost"),
        ("m.txt", GOOD_LIGHT.encode(), "lightgbm"),
        ("m.txt", GOOD_LIGHT.replace("\n", "\r\n").encode(), "lightgbm"),
        ("m.cbm", cat(), "catboost"),
        ("m.crfsuite", crf(), "crfsuite"),
    ],
)
def test_ordinary_models(name, data, format_):
    seen = look(data, name)
    assert (format_of(seen), kinds(seen), seen.not_checked) == (format_, {"core.format"}, ())


@pytest.mark.parametrize(
    "broken",
    [
        tree(left=(3, -1, -1)),
        tree(right=(2, -1, 100)),
        tree(left=(-2, -1, -1)),
        tree(left=(1, -1)),
        tree(nodes=4),
        tree(nodes=-1),
    ],
)
def test_children_outside_their_tree(broken):
    for name, data in forms(learner(tree(), broken, tree())).items():
        assert found(data, name) == [("MLG-GBT-001", "medium")]


def test_children_of_another_type():
    wrong = json.dumps(learner(tree())).replace("[1, -1, -1]", "[1.5, -1, -1]").encode()
    assert found(wrong, "m.json") == [("MLG-GBT-001", "medium")] * 2
    binary = ubj(learner(tree())).replace(b"[$l#L", b"[$d#L", 1)
    assert ("MLG-GBT-001", "medium") in found(binary, "m.ubj")


@pytest.mark.parametrize(
    ("leaves", "left", "right"),
    [(3, "1 -1", "-2 -4"), (3, "5 -1", "-2 -3"), (4, "1 -1", "-2 -3"), (3, "x", "y"), (0, "", "")],
)
def test_lightgbm_children_outside_their_tree(leaves, left, right):
    text = LIGHT.format(leaves=leaves, left=left, right=right)
    assert set(found(text.encode(), "m.txt")) == {("MLG-GBT-001", "medium")}


@pytest.mark.parametrize("data", [cat(root=1 << 20), cat(field=100), cat(length=7), cat(length=4000)])
def test_catboost_offsets_outside_the_model(data):
    assert found(data, "m.cbm") == [("MLG-GBT-001", "medium")]


def test_crfsuite_tables_outside_the_file():
    assert found(crf(place=1000), "m.crfsuite") == [("MLG-GBT-001", "medium")]
    assert found(crf(place=4), "m.crfsuite") == [("MLG-GBT-001", "medium")]
    assert [rule for rule, _ in found(crf(size=150), "m.crfsuite")] == ["MLG-COR-003"]


def test_a_pickle_in_an_attribute():
    for name, data in forms(learner(tree(), note=base64.b64encode(EVIL).decode())).items():
        rules = {rule for rule, _ in found(data, name)}
        assert "MLG-GBT-001" in rules
        assert "MLG-PKL-002" in rules or any(rule.startswith("MLG-PKL") for rule in rules)


def test_models_in_archives_and_under_other_names():
    data = ubj(learner(tree(nodes=9)))
    for wrapped in (data, zipped(Entry("a/b", data, method=8))):
        assert "MLG-GBT-001" in {rule for rule, _ in found(wrapped, "weights.bin")}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.ubj", ubj(learner(tree()))),
        ("m.json", json.dumps(learner(tree())).encode()),
        ("m.txt", GOOD_LIGHT.partition("end of trees")[0].encode()),
        ("m.cbm", cat()),
        ("m.crfsuite", crf()),
    ],
)
def test_a_cut_model_is_never_taken_for_a_whole_one(name, data):
    for end in range(60, len(data), 3):
        seen = look(data[:end], name)
        assert seen.not_checked or any(fact.kind == "booster.malformed" for fact in seen.facts), end


@pytest.mark.parametrize(
    "tail",
    [
        b"[$l#L" + struct.pack(">q", 1 << 40),
        b"[#L" + struct.pack(">q", 1 << 40),
        b"SL" + struct.pack(">q", 1 << 40),
        b"[#L" + struct.pack(">q", -1),
        b"[$Z#L" + struct.pack(">q", 1 << 40),
        b"[" * 1000,
        b"Q",
    ],
)
def test_counts_are_held_against_the_size(tail):
    seen = look(
        b"{L" + struct.pack(">q", 7) + b"learner" + b"{L" + struct.pack(">q", 1) + b"a" + tail, "m.ubj"
    )
    assert seen.not_checked or "booster.malformed" in kinds(seen)
    assert "reader-failed" not in reasons(seen)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("package.json", b'{"version": "1", "learner": 2}'),
        ("a.json", b'{"version": [1], "name": {"learner": {}}}'),
        ("a.txt", b"tree\nof life\n"),
        ("a.txt", b"{L looks like a set"),
    ],
)
def test_other_content_is_none(name, data):
    seen = look(data, name)
    assert (seen.facts, seen.not_checked) == ((), ())


@pytest.mark.trees
def test_what_the_libraries_write(tmp_path):
    numpy = pytest.importorskip("numpy")
    xgboost = pytest.importorskip("xgboost")
    lightgbm = pytest.importorskip("lightgbm")
    x = numpy.random.default_rng(0).random((60, 4))
    y = (x[:, 0] > 0.5).astype(int)
    paths = []
    for booster in ("gbtree", "gblinear", "dart"):
        made = xgboost.train({"booster": booster, "objective": "binary:logistic"}, xgboost.DMatrix(x, y), 3)
        paths += [tmp_path / f"{booster}.json", tmp_path / f"{booster}.ubj"]
        made.save_model(paths[-2])
        made.save_model(paths[-1])
    paths.append(tmp_path / "light.txt")
    lightgbm.train({"verbose": -1, "min_data_in_leaf": 2}, lightgbm.Dataset(x, y), 3).save_model(paths[-1])
    for path in paths:
        seen = look(path.read_bytes(), path.name)
        assert (kinds(seen), seen.not_checked) == ({"core.format"}, ()), path
        assert format_of(seen) == ("lightgbm" if path.suffix == ".txt" else "xgboost")


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seeds = [
        ubj(learner(tree())),
        json.dumps(learner(tree())).encode(),
        GOOD_LIGHT.encode(),
        cat(),
        crf(),
        OLD,
    ]
    seed = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 5))] = data.draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"[", b"{", b"#L", b"$l", b"\n", b"Tree=9\n"]))
        )
    name = data.draw(st.sampled_from(["m.ubj", "m.json", "m.txt", "m.cbm"]))
    assert "reader-failed" not in reasons(look(bytes(seed), name))
