import pytest
from tests.checks.models.building import (
    EVIL,
    NOISE,
    elf,
    format_of,
    judged,
    kinds,
    link,
    look,
    reasons,
    scope,
)

from mlgate.checks.models import collect


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, *parts):
    data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(data)) + data


def entry(key, value):
    return message(13, message(1, key), message(2, value))


def tensor(location, field=5):
    return message(field, number(2, 1), message(8, "w"), entry("location", location), number(14, 1))


def node(*parts, domain=""):
    return message(1, message(4, "Op"), *([message(7, domain)] if domain else []), *parts)


def graph(*parts, field=7):
    return message(field, *parts, message(2, "g"))


def model(*parts):
    return number(1, 8) + message(8, number(2, 17)) + b"".join(parts)


PLACES = {
    "initializer": lambda location: graph(tensor(location)),
    "sparse values": lambda location: graph(message(15, tensor(location, 1))),
    "sparse indices": lambda location: graph(message(15, tensor(location, 2))),
    "attribute": lambda location: graph(node(message(5, tensor(location, 5)))),
    "list attribute": lambda location: graph(node(message(5, tensor(location, 10)))),
    "sparse attribute": lambda location: graph(node(message(5, message(22, tensor(location, 1))))),
    "subgraph": lambda location: graph(node(message(5, graph(tensor(location), field=6)))),
    "list of subgraphs": lambda location: graph(node(message(5, graph(tensor(location), field=11)))),
    "function": lambda location: graph() + message(25, message(7, message(5, tensor(location, 5)))),
    "function's default": lambda location: graph() + message(25, message(11, tensor(location, 5))),
    "training": lambda location: graph() + message(20, message(2, tensor(location))),
    "second graph": lambda location: graph() + graph(tensor(location)),
    "value before key": lambda location: graph(
        message(5, message(13, message(2, location), message(1, "location")))
    ),
    "several keys": lambda location: graph(
        message(5, message(13, message(1, "x"), message(2, location), message(1, "location")))
    ),
    "several values": lambda location: graph(
        message(5, message(13, message(1, "location"), message(2, "x"), message(2, location)))
    ),
    "behind what no graph has": lambda location: message(
        7, number(4, 1), message(999, "x"), tensor(location)
    ),
    "behind a field of another type": lambda location: number(7, 1) + graph(tensor(location)),
    "behind numbers": lambda location: graph(
        message(5, (number(1, 1) + b"\x25\0\0\0\0") * 1000, entry("location", location))
    ),
}


def placed(place, location):
    return model(PLACES[place](location))


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_found_wherever_a_tensor_can_be(place):
    found = judged(look(placed(place, "../../etc/passwd"), "m.onnx"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-ONX-001", "critical")]
    assert not judged(look(placed(place, "weights.bin"), "m.onnx"))


@pytest.mark.parametrize("location", ["/etc/passwd", "C:\\x", "..\\x", "a/../../x", "\\\\host\\x", "a\0b"])
def test_locations_that_leave_the_folder(location):
    assert [each.rule for each in judged(look(placed("initializer", location)))] == ["MLG-ONX-001"]


@pytest.mark.parametrize("location", ["m.data", "a/b.bin", "./m.data", "a/../m.data", "", "..m"])
def test_locations_beside_the_model(location):
    assert not judged(look(placed("initializer", location)))


@pytest.mark.parametrize(
    ("to", "found"), [("/etc/passwd", True), ("../../secret", True), ("other.data", False)]
)
def test_external_data_behind_a_link(to, found):
    files = {
        "d/m.onnx": placed("initializer", "m.data"),
        "d/m.data": link("d/m.data", to),
        "d/other.data": NOISE,
    }
    rules = {each.rule for each in judged(collect(scope(files)))}
    assert ("MLG-ONX-001" in rules) is found


def test_a_thousand_tensors_in_one_file_are_one_fact():
    seen = look(model(graph(*(tensor("w.bin") for _ in range(1000)))))
    (fact,) = (fact for fact in seen.facts if fact.kind == "onnx.external")
    assert (fact.subject, fact.count) == ("w.bin", 1000)


def test_custom_domains_are_mentioned_and_no_alarm():
    data = model(
        graph(node(domain="ai.onnx.ml"), node(domain="my.ops"), node(domain="own")),
        message(25, message(1, "f"), message(10, "own")),
    )
    found = judged(look(data))
    assert [(each.rule, each.severity.value, each.subject) for each in found] == [
        ("MLG-ONX-002", "info", "my.ops")
    ]


def test_tensor_bytes_are_skipped_and_mean_nothing():
    data = tensor("/etc/passwd") * 100
    raw = message(5, number(1, len(data)), number(2, 2), message(9, data))
    seen = look(model(graph(raw)), "m.onnx")
    assert kinds(seen) == {"core.format"}
    assert format_of(seen) == "onnx"


@pytest.mark.parametrize(
    "data",
    [
        NOISE,
        b"plain text\n" * 100,
        number(1, 1) + message(2, message(1, "saved model")),
        graph(),
        number(1, 8) + message(7, b"\xff" * 20),
        number(1, 8) + number(7, 5),
        number(1, 8) + message(8, b""),
    ],
)
def test_other_content_is_no_model(data):
    assert "core.format" not in kinds(look(data))
    assert reasons(look(data, "m.onnx")) == {"unreadable-format"}


@pytest.mark.parametrize("keep", [60, 100, -1])
def test_a_cut_model_is_not_checked(keep):
    data = model(graph(*(tensor(f"w{n}.bin") for n in range(10))))
    assert reasons(look(data[:keep])) == {"truncated"}


def test_a_malformed_part_is_not_checked():
    assert reasons(look(model(graph(message(5, b"\x0d\x00"))))) == {"truncated"}


def test_graphs_in_graphs_are_walked_without_recursion():
    data = graph(tensor("/x"), field=6)
    for _ in range(30):
        data = graph(node(message(5, data)), field=6)
    assert [each.rule for each in judged(look(model(graph(node(message(5, data))))))] == ["MLG-ONX-001"]
    for _ in range(40):
        data = graph(node(message(5, data)), field=6)
    seen = look(model(graph(node(message(5, data)))))
    assert reasons(seen) == {"limit"}
    assert [each.rule for each in judged(seen)] == ["MLG-ONX-004"]


def test_groups_are_skipped():
    group = b"\xb3\x06" + number(1, 5) + b"\xb4\x06"
    assert [each.rule for each in judged(look(group + model(graph(tensor("/x")))))] == ["MLG-ONX-001"]
    assert "core.format" not in kinds(look(b"\xb3\x06" * 200 + model(graph())))


def test_locations_are_counted():
    data = model(graph(*(tensor(f"w{n}") for n in range(50))))
    assert reasons(look(data, facts=20)) == {"limit"}


@pytest.mark.parametrize("tag", ["*/_ORT_MEM_ADDR_/*", "*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*"])
def test_addresses_in_memory_are_no_files(tag):
    (found,) = judged(look(placed("initializer", tag)))
    assert (found.rule, found.severity.value) == ("MLG-ONX-001", "critical")
    assert "address" in found.message


@pytest.mark.parametrize(
    ("path", "found"),
    [("../x.bin", 1), ("/x.bin", 1), ("m_ctx.bin", 0), (b"/\0\1\2 bytes", 0), ("/" * 2000, 0)],
)
def test_the_context_of_a_compiler_is_a_file_beside_the_model(path, found):
    context = node(message(5, message(1, "ep_cache_context"), message(4, path)), domain="com.microsoft")
    other = node(message(5, message(4, path), message(1, "other")))
    rules = [each.rule for each in judged(look(model(graph(context, other))))]
    assert rules.count("MLG-ONX-001") == found


@pytest.mark.parametrize(
    ("domain", "op"),
    [
        ("ai.onnx.contrib", "PyCustomOp"),
        ("com.microsoft", "PythonOp"),
        ("com.microsoft", "ATen"),
        ("org.pytorch.aten", "ATen"),
    ],
)
def test_operators_that_call_python(domain, op):
    found = judged(look(model(graph(message(1, message(7, domain), message(4, op))))))
    assert ("MLG-ONX-002", "medium", f"{domain}::{op}") in [
        (each.rule, each.severity.value, each.subject) for each in found
    ]
    assert not judged(look(model(graph(message(1, message(4, op))))))


@pytest.mark.parametrize(
    ("names", "severity", "what"),
    [
        (["os", "system"], "high", "os.system"),
        (["system", "os"], "high", "os.system"),
        (["x", "subprocess.run"], "high", "subprocess.run"),
        (["a" * 300, "pkgutil.resolve_name"], "high", "pkgutil.resolve_name"),
        (["my_ops", "MyOp"], "medium", "a function of Python or PyTorch by its name"),
        (["my_ops"] * 40, "medium", "a function of Python or PyTorch by its name"),
        (["a", *map(str, range(40)), "os", "system"], "high", "one of too many functions"),
        (["os", "system", *map(str, range(40))], "high", "os.system"),
    ],
)
def test_the_function_that_such_an_operator_calls_decides(names, severity, what):
    attributes = [message(5, message(1, "key"), message(4, name)) for name in names]
    harmless = message(1, message(4, "PyOp"), message(5, message(4, "mine")), message(7, "pyop"))
    node = message(1, message(4, "PyOp"), *attributes, message(7, "pyop"))
    found = [each for each in judged(look(model(graph(harmless, node)))) if "calls" in each.message]
    assert (severity, f"The operator pyop::PyOp calls {what}.") in [
        (each.severity.value, each.message) for each in found
    ]


@pytest.mark.parametrize(
    ("parts", "severity"),
    [
        ([number(1, 2), number(1, 3), number(2, 1), message(9, bytes(24))], None),
        ([message(1, b"\2\3"), number(2, 1), message(9, bytes(24))], None),
        ([number(2, 7), message(9, bytes(8))], None),
        ([number(1, 3), number(2, 22), message(9, bytes(2))], None),
        ([number(1, 0), number(2, 1), message(9, b"")], None),
        ([number(1, 5), number(2, 8), message(6, "text")], None),
        ([number(1, 5), number(2, 99), message(9, b"x")], None),
        ([number(1, 2), number(1, 3), number(2, 1), message(9, bytes(25))], "medium"),
        ([message(9, bytes(9)), number(2, 1), number(1, 2)], "medium"),
        ([number(1, (1 << 64) - 1), number(2, 1)], "high"),
        ([number(1, 1 << 40), number(1, 1 << 40), number(2, 1)], "high"),
        ([entry("location", "w"), entry("offset", "4096"), entry("length", "12")], None),
        ([number(1, 9), number(2, 1), entry("location", "w"), message(9, b"")], None),
        ([entry("location", "w"), entry("offset", "-1")], "high"),
        ([entry("location", "w"), entry("length", str(1 << 62))], "high"),
        ([entry("location", "w"), entry("length", "x")], "high"),
        ([entry("location", "w"), entry("length", "9" * 5000)], "high"),
    ],
)
def test_sizes_that_make_no_sense(parts, severity):
    found = judged(look(model(graph(message(5, *parts)))))
    assert [(each.rule, each.severity.value) for each in found] == (
        [("MLG-ONX-004", severity)] if severity else []
    )


TENSOR = number(1, 2) + number(2, 1) + message(8, "x") + message(9, bytes(8))


def test_single_tensors_are_data():
    seen = look(TENSOR, "input_0.pb")
    assert (format_of(seen), seen.not_checked, judged(seen)) == ("onnx-tensor", (), ())
    assert [each.rule for each in judged(look(TENSOR + entry("location", "../x")))] == ["MLG-ONX-001"]
    assert [each.rule for each in judged(look(TENSOR + number(1, (1 << 64) - 1)))] == ["MLG-ONX-004"]
    assert reasons(look(TENSOR[:-1], "input_0.pb")) == {"truncated"}
    assert reasons(look(TENSOR + b"\x50", "input_0.pb")) == {"unreadable-format"}
    assert reasons(look(TENSOR + message(20, "x"), "input_0.pb")) == {"unreadable-format"}


def test_operators_that_send_their_input_away():
    data = model(graph(message(1, message(7, "com.microsoft.extensions"), message(4, "AzureTextToText"))))
    assert [(each.rule, each.severity.value) for each in judged(look(data))] == [
        ("MLG-ONX-002", "medium"),
        ("MLG-ONX-002", "info"),
    ]


def test_credentials_and_programs_in_the_texts_of_a_model():
    secret = message(14, message(1, "api"), message(2, "AKIA" + "IOSFODNN7EXAMPLQ"))
    assert "secret.credential" in kinds(look(model(graph(), secret)))
    assert "payload.executable" in kinds(look(model(graph(), message(6, elf() + bytes(300)))))
    assert "payload.executable" in kinds(look(model(graph(), message(30, elf() + bytes(300)))))
    assert "pickle.call" in kinds(look(model(graph(), message(30, EVIL))))
    assert "onnx.python" in kinds(
        look(model(message(7, message(1, message(4, "PyOp"), message(7, "pyopadd_2")), message(2, "g"))))
    )
    assert kinds(look(model(graph(), message(30, NOISE)))) == {"core.format"}


def test_properties_are_read_by_whoever_reads_such_texts():
    config = '{"_target_": "os.system", "x": "' + "y" * 30 + '"}'
    data = model(graph(node()), message(14, message(1, "config"), message(2, config)))
    assert kinds(look(data)) >= {fact.kind for fact in look(config.encode(), "config.json").facts}
    assert not look(
        model(graph(node()), message(14, message(1, "names"), message(2, "{0: 'person', 1: 'car'}")))
    ).not_checked


def test_what_the_onnx_library_writes():
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    value = helper.make_tensor_value_info("x", 1, [1])
    other = helper.make_tensor_value_info("y", 1, [1])
    built = helper.make_model(
        helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [other])
    )
    seen = look(built.SerializeToString(), "m.onnx")
    assert (kinds(seen), seen.not_checked) == ({"core.format"}, ())


@pytest.mark.parametrize("kind", [[number(2, 2)], []])
def test_a_pickle_that_is_a_tensor_of_bytes(kind):
    tensor = message(5, number(1, len(EVIL)), *kind, message(9, EVIL))
    assert "MLG-PKL-002" in {each.rule for each in judged(look(model(graph(tensor))))}
    floats = message(5, number(1, len(EVIL) // 4), number(2, 1), message(9, EVIL[: len(EVIL) // 4 * 4]))
    assert not judged(look(model(graph(floats))))


def test_a_program_where_a_tensor_begins():
    program = elf() + bytes(300)
    data = model(graph(message(5, number(1, len(program)), number(2, 2), message(9, program))))
    assert "payload.executable" in kinds(look(data))
    assert "payload.executable" not in kinds(look(data.replace(b"\x7fELF", b"\x7fELG")))
