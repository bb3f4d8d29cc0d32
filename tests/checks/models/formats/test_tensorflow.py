import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.models.building import (
    EVIL as PICKLE,
)
from tests.checks.models.building import (
    NOISE,
    TEXT_EVIL,
    Entry,
    format_of,
    judged,
    kinds,
    look,
    reasons,
    zipped,
)
from tests.checks.models.formats.graphs import (
    HONEST,
    Node,
    constant,
    dtype,
    function,
    graph,
    meta_graph,
    saved_model,
    text_attribute,
    text_graph,
    text_saved_model,
)
from tests.checks.models.formats.test_onnx import message, number

WRITE = (constant("/root/.bashrc"), Node("WriteFile", "bad", ["path", "content"]))


def hits(data, name="weights.bin"):
    data = data if isinstance(data, bytes) else data.encode()
    return sorted((each.rule, each.severity.value, each.subject) for each in judged(look(data, name)))


EVIL = [("MLG-TFS-001", "high", "WriteFile")]
PLACES = {
    "saved model": saved_model(*HONEST, *WRITE),
    "second meta graph": saved_model(*HONEST) + message(2, meta_graph(*WRITE)),
    "second graph": saved_model(*HONEST, more=[message(2, graph(*WRITE))]),
    "function of a saved model": saved_model(*HONEST, functions=[function(HONEST[2]), function(*WRITE)]),
    "frozen graph": graph(*HONEST, *WRITE),
    "function of a graph": graph(*HONEST, functions=[function(*WRITE)]),
    "checkpoint": meta_graph(*HONEST, *WRITE),
    "function of a checkpoint": meta_graph(*HONEST, functions=[function(*WRITE)]),
    "versions first": message(4, number(1, 1395)) + graph(*WRITE),
    "behind what no graph has": message(999, "x") + number(77, 1) + graph(*WRITE),
    "inside what a saved model has": number(1, 1)
    + message(2, meta_graph(*HONEST))
    + graph(*WRITE, HONEST[0]),
    "text": text_graph(*HONEST, *WRITE),
    "text of a saved model": text_saved_model(*HONEST, *WRITE),
    "text of a function": text_graph(*HONEST, functions=[("f", WRITE)]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["saved_model.pb", "weights.bin", "x.meta", "photo.dat"])
def test_a_file_operation_is_found_wherever_a_node_can_be(place, name):
    found = [hit for hit in hits(PLACES[place], name) if hit[0].startswith("MLG-TFS")]
    assert found == EVIL


@pytest.mark.parametrize("make", [saved_model, graph, meta_graph, text_graph, text_saved_model])
def test_what_ordinary_models_hold_is_no_finding(make):
    assert (
        hits(
            make(*HONEST),
            "x.meta" if make is meta_graph else "m.pbtxt" if "text" in make.__name__ else "m.pb",
        )
        == []
    )


def test_formats():
    assert format_of(look(saved_model(*HONEST), "saved_model.pb")) == "tensorflow"
    assert format_of(look(text_saved_model(*HONEST).encode(), "saved_model.pbtxt")) == "tensorflow-text"


@pytest.mark.parametrize(
    ("nodes", "severity"),
    [
        ([constant("/etc/passwd"), Node("ReadFile", "r", ["path"])], "high"),
        ([constant("model/x"), Node("ReadFile", "r", ["path"])], "high"),
        ([Node("Placeholder", "path"), Node("ReadFile", "r", ["path"])], "medium"),
        ([constant("/etc/"), Node("StringJoin", "j", ["path", "x"]), Node("ReadFile", "r", ["j:0"])], "high"),
        ([constant("/etc/"), Node("Identity", "j", ["path"], [dtype()]), Node("ReadFile", "r", ["j"])], "high"),
        ([constant("L2V0Yy9zaGFkb3c"), Node("DecodeBase64", "j", ["path"]), Node("ReadFile", "r", ["j"])], "high"),
        ([Node("TFRecordDataset", "d", ["x"])], "medium"),
        *(
            ([constant("data/a"), Node(op, "d", [*before, "path"])], "high")
            for op, *before in (
                ["TextLineDataset"], ["TFRecordDataset"], ["FixedLengthRecordDataset"], ["LoadDataset"],
                ["WholeFileReaderV2"], ["SaveDatasetV2", "x"], ["SnapshotDataset", "x"],
                ["SnapshotDatasetV2", "x"], ["CreateSummaryFileWriter", "x"], ["SqlDataset", "x"],
            )
        ),
        ([constant("GZIP"), Node("TextLineDataset", "d", ["x", "path"])], "medium"),
        ([constant("sqlite"), Node("SqlDataset", "d", ["path", "x", "q"])], "medium"),
        ([Node("SaveDatasetV2", "d", ["x", "y"])], "medium"),
        ([Node("WholeFileReaderV2", "r"), Node("QueueEnqueueV2", "e", ["q", "x"])], "medium"),
        ([constant("a"), Node("RandomShuffle", "s", ["path"], [dtype()]), Node("WholeFileReaderV2", "r"),
          Node("QueueEnqueueManyV2", "e", ["q", "s"])], "high"),
        ([Node("ImmutableConst", attrs=[text_attribute("memory_region_name", "/etc/passwd")])], "high"),
        ([Node("ImmutableConst", attrs=[text_attribute("memory_region_name", "memmapped_package://a")])], None),
        ([Node("PrintV2", attrs=[text_attribute("output_stream", "file:///root/.bashrc")])], "high"),
        ([Node("DebugIdentity", attrs=[text_attribute("debug_urls", "grpc://evil:1", "file:///x")])], "high"),
        ([Node("DebugIdentity")], None),
        ([constant("see https://a.b/c"), Node("PrintV2", "p", ["path"])], None),
        ([Node("RpcCall")], "high"),
        ([Node("DatasetFromGraph")], "high"),
        ([constant("/root/x"), Node("SaveV2", "s", ["path", "names"])], "high"),
        ([constant("/root"), Node("StringJoin", "j", ["path", "x"]), Node("SaveV2", "s", ["j"])], "high"),
        ([constant("model"), constant("/a", name="names"), Node("SaveV2", "s", ["path", "names"])], None),
        ([constant("m"), constant("../../x", name="p"), Node("StringJoin", "j", ["path", "p"]),
          Node("SaveV2", "s", ["j"])], "high"),
        ([constant(*"abcdefghijkl", "/root/x"), Node("MergeV2Checkpoints", "s", ["y", "path"])], "high"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "make", [saved_model, text_saved_model, lambda *nodes: saved_model(*reversed(nodes))]
)
def test_where_a_path_comes_from_decides(nodes, severity, make):
    found = [hit for hit in hits(make(*HONEST, *nodes)) if hit[0] == "MLG-TFS-001"]
    assert [hit[1] for hit in found] == ([severity] if severity else [])


@pytest.mark.parametrize("op", ["TextLineDataset", "FixedLengthRecordDatasetV2", "ReadFile"])
@pytest.mark.parametrize(("path", "severity"), [("/etc/passwd", "high"), ("../x", "high"), ("a", "medium")])
def test_a_function_that_is_given_a_path_of_the_model(op, path, severity):
    made = saved_model(*HONEST, constant(path), functions=[function(Node(op, "d", ["filename"]))])
    assert hits(made, "saved_model.pb") == [("MLG-TFS-001", severity, op)]


@pytest.mark.parametrize("op", ["DataServiceDataset", "DataServiceDatasetV4"])
def test_data_from_a_service(op):
    assert hits(saved_model(*HONEST, Node(op)), "saved_model.pb") == [("MLG-TFS-001", "high", op)]
    assert hits(meta_graph(*HONEST, Node(op)), "x.meta") == [("MLG-TFS-001", "info", op)]


@pytest.mark.parametrize(
    "op", ["ReadFile", "TFRecordDataset", "WholeFileReaderV2", "SaveDatasetV2", "CreateSummaryFileWriter"]
)
def test_input_pipelines_of_a_checkpoint_are_ordinary(op):
    path = constant("train.tfrecord" if op == "ReadFile" else "/home/me/train.tfrecord")
    found = hits(meta_graph(*HONEST, path, Node(op, "d", ["path"])), "a.meta")
    assert {severity for _, severity, _ in found} <= {"info", "low"}


@pytest.mark.parametrize(
    "packed", [b"\x0c/root/config", b"\x03\x0cabc/root/config", b"\x83\x00\x0cabc/root/config"]
)
def test_texts_of_a_tensors_content_are_read(packed):
    tensor = message(8, number(1, 7), message(4, packed))
    node = Node("Const", "path", attrs=[("value", tensor, "")])
    found = hits(saved_model(*HONEST, node, Node("MergeV2Checkpoints", "s", ["y", "path"])))
    assert found == [("MLG-TFS-001", "high", "MergeV2Checkpoints")]


@pytest.mark.parametrize("op", ["PyFunc", "PyFuncStateless", "EagerPyFunc"])
def test_python_operators(op):
    assert ("MLG-TFS-002", "high", op) in hits(saved_model(*HONEST, Node(op)), "saved_model.pb")
    assert ("MLG-TFS-002", "medium", op) in hits(meta_graph(*HONEST, Node(op)), "x.meta")


@pytest.mark.parametrize("op", ["MyOp", "IO>FileRead", "XlaCallModule", "TPUExecute"])
def test_other_operators_are_mentioned(op):
    assert hits(saved_model(*HONEST, Node(op)), "saved_model.pb") == [("MLG-TFS-002", "info", op)]


@pytest.mark.parametrize(
    ("name", "found"), [("vocab.txt", 0), ("a/b.txt", 0), ("../../etc/passwd", 1), ("/etc/passwd", 1)]
)
def test_assets(name, found):
    data = saved_model(*HONEST, more=[message(6, message(1, message(1, "vocab:0")), message(2, name))])
    assert [hit[0] for hit in hits(data, "saved_model.pb")] == ["MLG-TFS-004"] * found


def test_metadata_of_layers_is_handed_on():
    config = '{"class_name": "Sequential", "config": {"name": "s"}}'
    objects = message(7, message(1, message(4, message(1, "_tf_keras_sequential"), message(3, config))))
    seen = look(saved_model(*HONEST, more=[objects]), "saved_model.pb", members=40)
    assert not seen.not_checked
    # Each is a member of its own.
    many = look(saved_model(*HONEST, more=[objects] * 50), "saved_model.pb", members=40)
    assert reasons(many) == {"limit"}


@pytest.mark.parametrize("pickle", [PICKLE, TEXT_EVIL])
def test_pickles_in_constants_and_collections_are_found(pickle):
    tensor = message(8, number(1, 7), message(8, pickle))
    node = Node("Const", "c", attrs=[("value", tensor, "")])
    collection = message(4, message(1, "py_funcs"), message(2, message(2, message(1, pickle))))
    for data in (saved_model(*HONEST, node), saved_model(*HONEST, more=[collection])):
        assert "pickle.call" in kinds(look(data, "saved_model.pb"))
    honest = Node("Const", "c", attrs=[("value", message(8, number(1, 7), message(8, b"\x80\x03abc")), "")])
    seen = look(saved_model(*HONEST, honest), "saved_model.pb")
    assert (seen.not_checked, judged(seen)) == ((), ())


def test_pickles_in_texts_are_found():
    node = Node(
        "Const",
        "c",
        attrs=[
            (
                "value",
                b"",
                'tensor { string_val: "\\200\\002cposix\\nsystem\\nX\\004\\000\\000\\000true\\205R." }',
            )
        ],
    )
    assert "pickle.call" in kinds(look(text_graph(*HONEST, node).encode(), "graph.pbtxt"))


@pytest.mark.parametrize(("make", "found"), [(saved_model, ["medium"]), (meta_graph, [])])
def test_a_model_may_say_where_it_was_trained_from(make, found):
    data = make(*HONEST, constant("/home/me/bert.ckpt"), Node("RestoreV2", "r", ["path", "names"]))
    assert [severity for rule, severity, _ in hits(data, "x.meta") if rule == "MLG-TFS-001"] == found


def test_a_fixed_path_in_a_checkpoint():
    data = meta_graph(*HONEST, constant("/etc/passwd"), Node("ReadFile", "r", ["path"]))
    assert hits(data, "x.meta") == [("MLG-TFS-001", "high", "ReadFile")]


@pytest.mark.parametrize(
    "data",
    [
        NOISE,
        b"plain text, node { with a brace\n" * 100,
        message(1, message(1, "piece"), b"\x15\0\0\0\0") * 3000,
        message(1, message(1, "key"), message(2, "value")) * 10,
        number(1, 8) + message(2, "pytorch") + message(7, b""),
        b'node { calculator: "FlowLimiterCalculator" input_stream: "x" }\n' * 20,
    ],
)
def test_other_content_is_no_graph(data):
    assert not kinds(look(data)) & {"tensorflow.op", "core.format"}


def test_unknown_nodes_alone_are_no_graph_and_empty_ones_are_given_up():
    assert "core.format" not in kinds(look(message(1, message(1, "name")) * 5000 + graph(*WRITE)))


@pytest.mark.parametrize("make", [saved_model, graph, meta_graph])
def test_a_cut_graph_is_not_checked_and_keeps_what_was_seen(make):
    data = make(*WRITE, *HONEST)
    for keep in range(len(data) // 4, len(data), 97):
        seen = look(data[:keep], "m.bin")
        assert reasons(seen) == {"truncated"} or kinds(seen) <= {"core.format", "tensorflow.op"}
    assert ("MLG-TFS-001", "high", "WriteFile") in hits(data[:-30])


def test_a_broken_text_is_not_checked():
    seen = look((text_graph(*HONEST, *WRITE) + "node {").encode(), "graph.pbtxt")
    assert reasons(seen) == {"malformed"}
    assert "MLG-TFS-001" in {each.rule for each in judged(seen)}


def test_texts_are_read_as_protobuf_reads_them():
    text = (
        "# a comment { \n" * 3000
        + 'node: < op: "Write" \'F\\151le\' ; name: "n", input: ["a", \'b\'] unknown { x: [1, 2] } [ext.a] { } >'
        + 'node [{ op: "Const" name: "a" }, { op: "Const" }]'
    )
    assert hits(text) == EVIL
    (fact,) = (fact for fact in look(text.encode()).facts if fact.kind == "tensorflow.op")
    assert fact.location.line == 3001


def test_a_long_text_is_looked_at_only_where_it_may_be_a_graph():
    assert reasons(look(b"node {" + b" " * 5000, "m.txt", text_bytes=1000)) == {"limit"}
    assert reasons(look(b"words " * 1000, "graph.pbtxt", text_bytes=1000)) == {"limit"}
    assert not look(b"words " * 1000, "m.txt", text_bytes=1000).not_checked


def test_texts_nested_too_deep_are_not_checked():
    text = text_graph(*HONEST) + "node " + "{ x " * 300
    assert reasons(look(text.encode(), "m.pbtxt")) == {"limit"}


def test_a_path_that_is_handed_on_too_often_counts_as_fixed():
    chain = [Node("Identity", f"n{at}", [f"n{at + 1}"], [dtype()]) for at in range(100)]
    found = hits(saved_model(*HONEST, *chain, Node("ReadFile", "r", ["n0"])))
    assert found == [("MLG-TFS-001", "high", "ReadFile")]
    loop = [Node("Identity", "a", ["b"], [dtype()]), Node("Identity", "b", ["a"], [dtype()])]
    assert hits(saved_model(*HONEST, *loop, Node("ReadFile", "r", ["a"]))) == [
        ("MLG-TFS-001", "medium", "ReadFile")
    ]


def test_many_pickles_are_bounded():
    tensor = message(8, number(1, 7), *[message(8, PICKLE)] * 60)
    assert reasons(look(saved_model(*HONEST, Node("Const", attrs=[("value", tensor, "")])), facts=30)) == {
        "limit"
    }


def test_a_graph_in_an_archive_is_found():
    data = zipped(Entry("m/saved_model.pb", saved_model(*HONEST, *WRITE)))
    assert EVIL[0] in hits(data, "m.zip")


def test_operators_are_counted_and_bounded():
    data = saved_model(*HONEST, *(Node("WriteFile", f"n{at}", ["x"]) for at in range(500)))
    (fact,) = (fact for fact in look(data).facts if fact.subject == "WriteFile")
    assert fact.count == 500
    many = saved_model(*HONEST, *(Node(f"Op{at}") for at in range(100)))
    assert reasons(look(many, facts=50)) == {"limit"}
    assert reasons(look(data, members=50)) == {"limit"}


SEEDS = [
    saved_model(*HONEST[:4], *WRITE, functions=[function(*WRITE)], more=[message(6, message(2, "../x"))]),
    graph(*HONEST),
    text_saved_model(*HONEST[:4], *WRITE, functions=[("f", WRITE)]).encode(),
]


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(
    st.sampled_from(SEEDS), st.integers(0, 1 << 16), st.binary(max_size=12), st.integers(0, 40), st.booleans()
)
def test_whatever_the_bytes_are_the_readers_end(seed, at, new, length, cut):
    at %= len(seed)
    data = seed[:at] + new + (b"" if cut else seed[at + length :])
    seen = look(data, "saved_model.pb")
    assert "reader-failed" not in reasons(seen)
    assert all(f"{fact.location}{fact.subject}".isprintable() for fact in seen.facts)


@settings(
    deadline=None, database=None, derandomize=True, max_examples=150, suppress_health_check=list(HealthCheck)
)
@given(st.text(alphabet="node{}<>[]:,;\"'\\#x01 \n", max_size=80))
def test_whatever_the_text_is_the_reader_ends(text):
    assert "reader-failed" not in reasons(look((text_graph(*WRITE) + text).encode(), "graph.pbtxt"))


@pytest.mark.parametrize("name", ["a.pbtxt", "saved_model.pb.txt"])
def test_a_text_that_breaks_off_in_its_first_node_is_not_checked(name):
    text = b"node { name: 'a' op: 'PyFunc' attr { key"
    assert reasons(look(text, name)) == {"malformed"}
    # MediaPipe's graphs have nodes too, and label maps have none.
    for other in (b"node { calculator: 'X' input_stream: 'in'", b"item { id: 1 name: 'op: x'"):
        assert not look(other, name).not_checked
