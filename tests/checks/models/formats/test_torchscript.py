import pickle
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, kinds, look, reasons, zipped

SOURCE = """\
class Net(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
  ops : __torch__.torch.nn.modules.container.ModuleList
  __annotations__["0"] = __torch__.torch.nn.modules.linear.___torch_mangle_0.Linear
  _packed : __torch__.torch.classes.quantized.LinearPackedParamsBase
  def forward(self: __torch__.Net,
    x: Tensor,
    n: int=3) -> Tuple[Tensor, str]:
    ops0 = self.ops
    _0 = getattr(ops0, "0")
    x0 = torch.relu((_0).forward(x, ))
    if torch.lt(n, 100):
      pass
    else:
      ops.prim.RaiseException("AssertionError: torch.save(x, 'y') # import os", "builtins.ValueError")
    y = ops.quantized.linear_dynamic(x0, self._packed)  # ops.mine.op eval(x)
    z = (_0).save(y, )
    _1 = torch.format("{} \\" torch.save {}", torch.__xor__(n, 1), 1.e-05)
    return (annotate(Tensor, y), _1)
"""


def archive(code=SOURCE, *, path="m/code/__torch__.py", top="m", extra=(), method=0):
    data = code if isinstance(code, bytes) else code.encode()
    return zipped(
        Entry(f"{top}/data.pkl", b"\x80\x02}."),
        Entry(path, data, method=method),
        Entry(f"{top}/constants.pkl", b"\x80\x02)."),
        Entry(f"{top}/version", b"3\n"),
        *extra,
    )


def rules(data, name="m.pt"):
    return [(each.rule, each.severity.value) for each in judged(look(data, name))]


def test_what_exporters_write():
    seen = look(archive(), "m.pt")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "torchscript")


def line(code):
    return f"def f(x: Tensor, p: str) -> Tensor:\n  {code}\n  return x\n"


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("torch.save(x, p)", "high"),
        ("y = torch.from_file(p, True, 3)", "high"),
        ("ops.aten.save(x, p)", "high"),
        ("f = torch.save", "high"),
        ("torch . save(x, p)", "high"),
        ("(torch\\\n  .save)(x, p)", "high"),
        ("(torch. # a comment\n  save)(x, p)", "high"),
        ("q = torch", "high"),
        ("torch.distributed.rpc.rpc_sync(p, x)", "high"),
        ("ops.load_library(p)", "high"),
        ("y = torch.load(p)", "high"),
        ("q = ops.aten", "high"),
        ("q = (ops)", "high"),
        ('getattr(torch, "save")(x, p)', "high"),
        ("ops.image.write_file(p, x)", "high"),
        ("y = ops.image.read_file(p)", "medium"),
        ("ops.mine.op(x)", "info"),
        ("y : __torch__.torch.classes.mine.Thing = x", "info"),
        ("import os", "high"),
        ("from os import path", "high"),
        ('eval("1")', "high"),
        ('__import__("os")', "high"),
        ("y = x.__class__.__subclasses__()", "high"),
        ("return ^Thing(1)(x)", "high"),
        ("y = ^ Thing()(x, )", "high"),
        ("a = 'it\\'s'; torch.save(x, p)", "high"),
        ('a = """ " "" """; torch.save(x, p)', "high"),
        ("prim.rpc_sync(p)\n  y = ops.prim.rpc_sync(p)", "high"),
    ],
)
def test_what_no_exporter_writes(code, severity):
    found = judged(look(archive(line(code))))
    assert {each.rule for each in found} == {"MLG-TOR-001"}
    assert max(each.severity for each in found).value == severity
    assert all(each.location.line for each in found)


@pytest.mark.parametrize(
    "code",
    [
        "y = x.save(1)",
        "torch0 = self.torch",
        "import __torch__.torch.nn",
        "y = torch.conv2d(x, x, None, [1, 1])",
        "y = torch.device('cpu:0')",
        "z = self.torch.thing",
        "y = f(ops=x, torch=x)",
        'y = "torch.save(x)"',
        "y = 'eval(x)'",
        "# torch.save(x, p)",
        "y = opened(x)",
        "op_version_set = 1",
    ],
)
def test_ordinary_code(code):
    assert not rules(archive(line(code)))


def test_findings_name_the_line():
    (found,) = judged(look(archive("x = 1\ny = 2\ntorch.save(x, y)\n")))
    assert (found.location.member, found.location.line) == ("m/code/__torch__.py", 3)


def test_every_operator_is_named_once_a_file():
    assert len(judged(look(archive(line("torch.save(x, p); " * 100))))) == 1


HOSTILE = line("torch.save(x, p)")


@pytest.mark.parametrize(
    "data",
    [
        archive(HOSTILE, method=8),
        archive(HOSTILE, path="m/code/__torch__/a/b/c.py"),
        archive(HOSTILE, path="archive/code/__torch__.py", top="archive"),
        archive(HOSTILE, path="M/code/__torch__.py", top="M"),
        archive(HOSTILE, path="m/CODE/__torch__.PY"),
        archive(HOSTILE, path="m/Code/__torch__.py").replace(b"m/data.pkl", b"m/DATA.pkl"),
        archive(HOSTILE, path="m/code/" + "a" * 600 + ".py"),
        archive(SOURCE, extra=[Entry("m/code/__torch__/x.py", HOSTILE.encode())]),
        archive(SOURCE, extra=[Entry("m/code/__torch__.py", HOSTILE.encode())]),
        zipped(Entry("inner/m.pt", archive(HOSTILE))),
        archive(b"\xff\xfe\0" + b"\n" + HOSTILE.encode()),
        archive(b"\xef\xbb\xbf" + HOSTILE.encode()),
    ],
)
@pytest.mark.parametrize("name", ["m.pt", "weights.bin", "m.txt"])
def test_code_is_found_wherever_the_loader_finds_it(data, name):
    assert ("MLG-TOR-001", "high") in rules(data, name)


def test_python_elsewhere_is_no_torchscript():
    plain = zipped(Entry("m/code/x.py", HOSTILE.encode()))
    assert "torchscript.operator" not in kinds(look(plain))
    beside = archive(SOURCE, extra=[Entry("m/extra/x.py", HOSTILE.encode())])
    assert not rules(beside)


def test_a_text_without_an_end_is_not_checked():
    seen = look(archive("torch.save(x, p)\ny = 'abc\n" + SOURCE.replace("'", "")))
    assert reasons(seen) == {"malformed"}
    assert [each.rule for each in judged(seen)] == ["MLG-TOR-001"]


@pytest.mark.parametrize("code", ["x = ((1)", "x = 1)", "x = [1)]", "x = (1", "\x01\x02", "é = 1", "f({)"])
def test_code_that_nothing_compiles_is_not_checked(code):
    assert reasons(look(archive(code))) == {"malformed"}


def test_a_comment_that_gives_types():
    assert rules(archive("# type: (__import__('os').system('true')) -> Tensor\n")) == [
        ("MLG-TOR-001", "high")
    ]
    assert not rules(archive("# type: (Tensor, Dict[str, int]) -> Tensor\n# eval(x)\n"))


def test_long_code_is_not_checked():
    assert reasons(look(archive(SOURCE * 20), text_bytes=10_000)) == {"limit"}
    assert reasons(look(archive("".join(f"ops.n{n}.x()\n" for n in range(50))), facts=20)) == {"limit"}


def test_deep_nesting_is_nothing_to_tokens():
    code = line("y = " + "(" * 100_000 + "torch.save(x, p)" + ")" * 100_000)
    assert rules(archive(code)) == [("MLG-TOR-001", "high")]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("aten::relu", []), ("aten::save", [("MLG-TOR-001", "high")]), ("mine::op", [("MLG-TOR-001", "info")])],
)
def test_operators_of_mobile_archives(operator, expected):
    code = pickle.dumps((5, ("__torch__.M.forward", (("operators", ((operator, "", 2),)),))), 2)
    padded = pickle.dumps(("x" * (1 << 20), operator), 2)
    for bytecode in (code, padded):
        assert rules(archive(extra=[Entry("m/bytecode.pkl", bytecode)]), "m.ptl") == expected


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.integers(0, len(SOURCE)))
def test_no_source_ends_its_reader(noise, at):
    data = SOURCE.encode()
    assert "reader-failed" not in reasons(look(archive(data[:at] + noise + data[at:])))
    assert "reader-failed" not in reasons(look(archive(noise)))


@pytest.mark.filterwarnings("ignore")
def test_what_torch_writes():
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.ops = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.LayerNorm(4)])

        def forward(self, x, n: int = 3):
            for op in self.ops:
                x = op(x)
            while n > 0 and bool(x.sum() > 0):
                n -= 1
            return {"x": x}

    stream = BytesIO()
    torch.jit.save(torch.jit.script(Net()), stream)
    seen = look(stream.getvalue(), "m.pt")
    assert (judged(seen), seen.not_checked) == ((), ())
