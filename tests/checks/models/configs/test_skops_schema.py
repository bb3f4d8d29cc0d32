import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, kinds, look, reasons, zipped

from mlgate.policy.schema import Models


def node(loader, subject, **more):
    module, _, name = subject.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, **more, "__id__": 1}


def tree(inner):
    steps = node(
        "DictNode",
        "builtins.dict",
        content={"steps": inner},
        key_types=node("ListNode", "builtins.list", content=[]),
    )
    return {
        **node("ObjectNode", "sklearn.pipeline.Pipeline", content=steps),
        "protocol": 2,
        "_skops_version": "0.13.0",
    }


def archive(schema, *more):
    text = schema if isinstance(schema, (bytes, str)) else json.dumps(schema)
    return zipped(Entry("schema.json", text.encode() if isinstance(text, str) else text), *more)


def verdicts(inner):
    return [(each.rule, each.severity.value) for each in judged(look(archive(tree(inner)), "m.skops"))]


METHOD = {"func": "transform", "obj": node("ObjectNode", "sklearn.preprocessing._data.StandardScaler")}


@pytest.mark.parametrize(
    ("inner", "severity"),
    [
        (node("FunctionNode", "os.system"), "critical"),
        (node("TypeNode", "builtins.eval"), "critical"),
        (node("ObjectNode", "subprocess.Popen"), "critical"),
        (node("ConstructorFromReduceNode", "posix.system", content=[]), "critical"),
        (node("NdArrayNode", "builtins.exec", type="numpy", file="0.npy"), "critical"),
        (node("JsonNode", "os.system", content="1"), "critical"),
        (node("DictNode", "builtins.eval", content={}), "critical"),
        (node("FunctionNode", "pickle.loads"), "critical"),
        (node("FunctionNode", "builtins.getattr"), "critical"),
        (node("NoSuchNode", "os.system"), "critical"),
        (node("OperatorFuncNode", "operator.call", attrs=[]), "critical"),
        (node("OperatorFuncNode", "os.system", attrs=[]), "critical"),
        (node("OperatorFuncNode", "operator.methodcaller", attrs=[]), "high"),
        (node("OperatorFuncNode", "operator.attrgetter", attrs=[]), "medium"),
        (node("OperatorFuncNode", "operator.itemgetter", attrs=[]), "medium"),
        (node("MethodNode", "builtins.dict", content=METHOD), "critical"),
        (node("MethodNode", "sklearn.preprocessing._data.StandardScaler", content={**METHOD, "func": "__reduce__"}), "critical"),
        (node("MethodNode", "acme.Scaler", content={"func": "f", "obj": node("ObjectNode", "acme.Scaler")}), "medium"),
        (node("FunctionNode", "shutil.rmtree"), "high"),
        (node("ConstructorFromReduceNode", "acme.load", content=[]), "high"),
        (node("ObjectNode", "acme.Scaler"), "medium"),
        (node("FunctionNode", "acme.scale"), "medium"),
        (node("ListNode", "acme.Things", content=[]), "medium"),
    ],
)  # fmt: skip
def test_what_a_node_names_decides(inner, severity):
    found = verdicts(inner)
    assert found[0] == ("MLG-SKP-001", severity)


@pytest.mark.parametrize(
    "inner",
    [
        node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content={}),
        node("TreeNode", "sklearn.tree._tree.Tree", content={}),
        node("NdArrayNode", "numpy.ndarray", type="numpy", file="0.npy"),
        node("NdArrayNode", "numpy.float64", type="numpy", file="0.npy"),
        node("FunctionNode", "numpy.log1p"),
        node("FunctionNode", "scipy.special._ufuncs.expit"),
        node("PartialNode", "functools.partial", content={}),
        node("TypeNode", "builtins.str"),
        node("DefaultDictNode", "collections.defaultdict", content={}),
        node("RandomStateNode", "numpy.random.mtrand.RandomState", content={}),
        node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="0.npz"),
        node("ObjectNode", "xgboost.sklearn.XGBClassifier", content={}),
        node("ObjectNode", "lightgbm.sklearn.LGBMClassifier", content={}),
        node("ConstructorFromReduceNode", "datetime.timezone", content=[]),
        node("MethodNode", "sklearn.preprocessing._data.StandardScaler", content=METHOD),
    ],
)
def test_ordinary_nodes_are_no_news(inner):
    seen = look(archive(tree(inner)), "m.skops")
    assert (judged(seen), seen.not_checked) == ((), ())
    assert format_of(seen) == "skops"


@pytest.mark.parametrize(
    "text",
    [
        '{"__loader__": "FunctionNode", "__module__": "os", "__class__": "system"}',
        '{"__loader__": "FunctionNode", "__class__": "system", "content": {"a": "b"}, "__module__": "os"}',
        '{"__module__": "numpy", "__module__": "os", "__class__": "system", "__loader__": "FunctionNode"}',
        '{"__module__": "os", "__module__": "numpy", "__class__": "system", "__loader__": "FunctionNode"}',
        '{"\\u005f_module__": "o\\u0073", "__class__": "system", "__loader__": "FunctionNode"}',
        '[[{"__module__": "os", "__class__": "system", "__loader__": "X"}]]',
    ],
)
def test_nodes_are_found_however_they_are_written(text):
    assert any(each.severity.value == "critical" for each in judged(look(archive(text), "m.skops")))


def test_other_archives_with_a_schema():
    data = archive(
        tree(node("FunctionNode", "os.system")), Entry("config.json", b"{}"), Entry("metadata.json", b"{}")
    )
    assert "MLG-SKP-001" in {each.rule for each in judged(look(data, "m.keras"))}
    assert not kinds(look(archive('{"type": "object"}'), "x.zip")) - {"core.format"}
    assert not look(archive('{"type": "object"}'), "x.zip").not_checked


def test_members_are_still_read():
    evil = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
    found = {each.rule for each in judged(look(archive(tree([]), Entry("0.bin", evil)), "m.skops"))}
    assert any(rule.startswith("MLG-PKL") for rule in found)


@pytest.mark.parametrize("text", [b"", b"text", b"{", b'{"__module__": "os"', b"\0\0"])
def test_a_schema_that_cannot_be_read_is_not_checked(text):
    assert reasons(look(archive(text), "m.skops")) == {"malformed"}


def test_what_was_seen_before_the_end_is_kept():
    whole = json.dumps([node("FunctionNode", "os.system"), node("ListNode", "builtins.list", content=[])])
    for end in range(len(whole)):
        seen = look(archive(whole[:end].encode()), "m.skops")
        assert reasons(seen) == {"malformed"}
        assert bool(judged(seen)) is (end > whole.index('"os"') + 3), end


def test_the_policy_may_trust_a_class():
    seen = look(archive(tree(node("ObjectNode", "acme.Scaler"))), "m.skops")
    assert not judged(seen, Models(allow_globals=("acme.Scaler",)))


def test_many_and_deep_nodes_are_bounded():
    many = [node("ObjectNode", f"acme.C{number}") for number in range(100)]
    assert reasons(look(archive(many), "m.skops", facts=30)) == {"limit"}
    assert reasons(look(archive("[" * 2000), "m.skops")) == {"limit"}
    assert not look(archive([node("ObjectNode", "acme.C")] * 100), "m.skops", facts=30).not_checked


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(json.dumps(tree(node("MethodNode", "a.B", content=METHOD))).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.sampled_from([b"", b"{", b"]", b'"', b"null", b"\xff", b'"__class__":', b'"obj": {'])
        )
    assert "reader-failed" not in reasons(look(archive(bytes(seed)), "m.skops"))
