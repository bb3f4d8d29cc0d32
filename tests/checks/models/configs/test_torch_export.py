import json
import pickle
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, Entry, elf, judged, look, reasons, zipped

from mlgate.checks.models.configs._expressions import objection

PLAIN = pickle.dumps(({}, {}), 2)


def program(*nodes, sizes=(), guards=(), **more):
    values = {f"v{n}": {"as_expr": {"expr_str": size, "hint": None}} for n, size in enumerate(sizes)}
    return {
        "graph_module": {"graph": {"nodes": list(nodes), "sym_int_values": values}},
        "guards_code": list(guards),
        "opset_version": {"aten": 10},
        **more,
    }


def node(target):
    return {"target": target, "inputs": [], "outputs": [], "metadata": {"stack_trace": "eval(x)"}}


def archive(text=None, *, top="net", name="models/model.json", inputs=PLAIN, extra=()):
    if not isinstance(text, str):
        text = json.dumps(text or program())
    return zipped(
        Entry(f"{top}/{name}", text.encode()),
        Entry(f"{top}/data/sample_inputs/model.pt", inputs),
        Entry(f"{top}/archive_format", b"pt2"),
        Entry(f"{top}/byteorder", b"little"),
        *extra,
    )


def old(text=None, inputs=PLAIN):
    return zipped(
        Entry("serialized_exported_program.json", json.dumps(text or program()).encode()),
        Entry("serialized_example_inputs.pt", inputs),
        Entry("version", b"5.1"),
    )


def rules(data, name="m.pt2"):
    return {(each.rule, each.severity.value) for each in judged(look(data, name))}


HONEST_SIZES = [
    "Symbol('s77', positive=True, integer=True)",
    "Min(Symbol('s77', positive=True, integer=True), Add(Symbol('u0', integer=True), Integer(1)))",
    "Mul(Integer(3), Pow(Symbol('s0'), Integer(2)), Float('0.333', precision=53))",
    "s0 + 2*s1**2 - 1",
    "floor(s0/2)",
    "-s0//3 + 1.5e-3",
    "s0 <= 4 and s1 != 2",
    "OpaqueUnaryFn_sqrt(s0)",
    "True",
    "",
]
HOSTILE_SIZES = [
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "s0.subs",
    "(lambda: 1)()",
    "eval('1')",
    "open('x')",
    "sympify('1')",
    "Symbol('s0')('x')",
    "Symbol('__import__(1)')",
    "Add('print(1)', 1)",
    "[x for x in s0]",
    "s0; import os",
    "1\nimport os",
    "s0 # x",
    "(s0",
    "s0)",
    "1, 2",
    "{1: 2}",
    "f'{s0}'",
    "s0 if (y := 1) else 2",
    "@x",
    "é",
]
HONEST_GUARDS = [
    "L['x'].size()[0] == 4",
    "L['args'][0]['k'].size()[1] <= 2*L['y'].size()[0]",
    "not (L['flag'])",
    "math.isnan(L['x'])",
    "torch.sym_max(L['x'].size()[0], 3) >= 2",
    "Mod(L['x'].stride()[0], 8) == 0 and isinstance(L['y'], int)",
    "L['an input'].size()[0] != 1",
    "L['x'].inner.size()[0] > -1",
]
HOSTILE_GUARDS = [
    "torch.os.system('true')",
    "__import__('os')",
    "True, print(1)",
    "True, ''); import os; (",
    "L['x'].__class__",
    "L['a\"+x+\"b'] == 1",
    "L['a\\x22'] == 1",
    "L['x'].tofile('y')",
    "L['x'].size()()",
    "lambda: 1",
    "L[(1, 2)",
    "getattr(L, 'x')",
    "L['x'] == 'a' \n",
]


@pytest.mark.parametrize("size", HONEST_SIZES)
def test_sizes_that_torch_writes(size):
    assert objection(size, guard=False) is None
    assert not rules(archive(program(sizes=[size])))


@pytest.mark.parametrize("size", HOSTILE_SIZES)
def test_sizes_that_run(size):
    assert rules(archive(program(sizes=[size]))) == {("MLG-TOR-007", "critical")}


@pytest.mark.parametrize("guard", HONEST_GUARDS)
def test_guards_that_torch_writes(guard):
    assert objection(guard, guard=True) is None
    assert not rules(archive(program(guards=[guard])))


@pytest.mark.parametrize("guard", HOSTILE_GUARDS)
def test_guards_that_run(guard):
    assert rules(archive(program(guards=[guard]))) == {("MLG-TOR-007", "critical")}


@pytest.mark.parametrize("text", [program(sizes=["NewFn(s0)"]), program(guards=["new_fn(L['x'])"])])
def test_functions_that_are_unknown_here_are_no_alarm(text):
    assert rules(archive(text)) == {("MLG-TOR-007", "medium")}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("torch.ops.aten.relu.default", set()),
        ("torch.ops.higher_order.cond", set()),
        ("torch.ops.aten.sym_size.int", set()),
        ("_operator.add", set()),
        ("_operator.getitem", set()),
        ("math.ceil", set()),
        ("torch.sym_max", set()),
        ("torch._sym_sqrt", set()),
        ("", set()),
        ("torch.ops.mine.op.default", {("MLG-TOR-001", "info")}),
        ("torch.ops.aten.from_file.default", {("MLG-TOR-001", "high")}),
        ("#mine:op", {("MLG-TOR-007", "info")}),
        ("_operator.methodcaller", {("MLG-TOR-007", "high")}),
        ("torch.hub.load", {("MLG-TOR-007", "high")}),
        ("torch.os.system", {("MLG-TOR-007", "high")}),
        ("os.system", {("MLG-TOR-007", "high")}),
        ("builtins.eval", {("MLG-TOR-007", "high")}),
        ("#subprocess.run", {("MLG-TOR-007", "high")}),
    ],
)
def test_targets(target, expected):
    assert rules(archive(program(node(target)))) == expected


BAD = program(sizes=["__import__('os')"])


@pytest.mark.parametrize(
    "data",
    [
        archive(BAD),
        archive(BAD, top="a/b"),
        archive(BAD, name="models/other.json"),
        archive(program(sizes=["s0"]), extra=[Entry("net/models/b.json", json.dumps(BAD).encode())]),
        archive(json.dumps(BAD).replace("expr_str", "\\u0065xpr_str")),
        archive(json.dumps(BAD).replace("__import__", "\\u005f_import__")),
        archive('{"expr_str": "__import__(1)", "expr_str": "s0"}'),
        archive("\ufeff" + json.dumps(BAD)),
        old(BAD),
        zipped(Entry("inner/m.pt2", archive(BAD))),
    ],
)
@pytest.mark.parametrize("name", ["m.pt2", "weights.bin"])
def test_a_program_is_found_wherever_the_loader_finds_it(data, name):
    assert ("MLG-TOR-007", "critical") in rules(data, name)


def test_other_documents_are_not_concerned():
    assert "MLG-TOR-007" not in dict(rules(zipped(Entry("x/models/a.json", b'{"target": "os.system"}'))))
    assert not rules(json.dumps(BAD).encode(), "model.json")
    seen = look(archive('{"graph_module": '))
    assert reasons(seen) == {"malformed"}
    assert reasons(look(archive(json.dumps(program(pad="x" * 5000))), text_bytes=2000)) == {"limit"}
    many = program(sizes=[f"f{n}(s0)" for n in range(40)])
    assert reasons(look(archive(many), facts=20)) == {"limit"}


def instance(name):
    module, _, name = name.rpartition(".")
    return b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n)\x81."


@pytest.mark.parametrize("make", [archive, old])
@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (PLAIN, None),
        (instance("collections.OrderedDict"), None),
        (instance("mine.Inputs"), "medium"),
        (EVIL, "critical"),
    ],
)
def test_pickles_that_are_loaded_without_protection(make, inputs, expected):
    found = dict(rules(make(inputs=inputs)))
    assert found.get("MLG-TOR-004") == expected


def test_pickles_elsewhere_are_judged_as_ever():
    other = archive(extra=[Entry("net/extra/x.pkl", EVIL)])
    assert "MLG-TOR-004" not in dict(rules(other))
    plain = zipped(Entry("net/data/sample_inputs/model.pt", EVIL))
    assert "MLG-TOR-004" not in dict(rules(plain))
    assert "MLG-TOR-004" in dict(rules(zipped(Entry("a/m.pt2", archive(inputs=EVIL)))))


def test_compiled_packages():
    home = "net/data/aotinductor/model"
    sources = archive(extra=[Entry(f"{home}/w.cpp", b"int main(){}"), Entry(f"{home}/k.cpp", b"x")])
    assert [(each.rule, each.severity.value) for each in judged(look(sources, "m.pt2"))] == [
        ("MLG-TOR-008", "medium")
    ]
    library = archive(extra=[Entry(f"{home}/w.so", elf() + bytes(100))])
    found = {each.rule: each for each in judged(look(library, "m.pt2"))}
    assert found.keys() == {"MLG-TOR-008", "MLG-BIN-001"}
    assert "compile it where it runs" in found["MLG-BIN-001"].fix


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.binary(max_size=60))
def test_no_program_ends_its_reader(text, noise):
    for guard in (True, False):
        objection(text, guard=guard)
    assert "reader-failed" not in reasons(look(archive(program(sizes=[text], guards=[text]))))
    data = json.dumps(program()).encode()
    for at in (0, 20, len(data)):
        made = zipped(Entry("net/models/model.json", data[:at] + noise), Entry("net/archive_format", b"pt2"))
        assert "reader-failed" not in reasons(look(made))


@pytest.mark.filterwarnings("ignore")
def test_what_torch_writes():
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def forward(self, x):
            return torch.cat([x, x[:2]]).sum(0) * x.shape[0]

    size = torch.export.Dim("n", min=2, max=64)
    stream = BytesIO()
    made = torch.export.export(Net(), (torch.rand(4, 3),), dynamic_shapes={"x": {0: size}})
    torch.export.save(made, stream)
    seen = look(stream.getvalue(), "m.pt2")
    assert (judged(seen), seen.not_checked) == ((), ())


def shaped(context):
    spec = json.dumps([1, {"type": "builtins.dict", "context": json.dumps(context), "children_spec": []}])
    return archive(program() | {"module_call_graph": [{"signature": {"in_spec": spec}}]})


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"__enum__": True, "fqn": "os:system", "name": "x"}, {("MLG-TOR-007", "high")}),
        ({"__enum__": True, "fqn": "acme.kinds:Kind", "name": "x"}, {("MLG-TOR-007", "medium")}),
        ({"__enum__": True, "fqn": "torch.nn:Kind", "name": "x"}, set()),
        (
            {"default_factory_module": "os", "default_factory_name": "system", "dict_context": []},
            {("MLG-TOR-007", "high")},
        ),
        ({"default_factory_module": "builtins", "default_factory_name": "list"}, set()),
        (["a", "b"], set()),
    ],
)
def test_what_is_imported_to_describe_inputs(context, expected):
    assert rules(shaped(context)) == expected
