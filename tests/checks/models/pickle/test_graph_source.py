import pickle

import pytest
from tests.checks.models.building import judged, look
from tests.checks.models.pickle.hostile import text

from mlgate.checks.models.pickle import graph_source

BLOCK = "NoneType = type(None)\nfrom builtins import getattr as getattr\nfrom math import inf\nimport torch\nimport torch.fx._pytree as fx_pytree\n"
FORWARD = (
    "\n\ndef forward(self, x : torch.Tensor, input, y = None):\n    input_1 = input\n    l = self.layers.0(x)\n"
    "    relu = torch.nn.functional.relu(l, inplace = False);  l = None\n    add = relu.view(-1, 3) + x.shape[0]\n"
    "    return (torch.cat([add, input_1], dim = 1), len(add))\n"
).replace(".0(", ".conv(")


def graph(code, block=BLOCK, filler=40, key="_code"):
    items = b"".join(text(f"field{number}") + b"N" for number in range(filler))
    body = b"}(" + items + text(key) + text(code) + b"u"
    return b"\x80\x02ctorch.fx.graph_module\nreduce_graph_module\n" + body + text(block) + b"\x86R."


def verdict(data):
    found = [item for item in judged(look(data, "m.pkl")) if item.rule == "MLG-PKL-002"]
    assert len(found) == 1
    return found[0].severity.value


@pytest.mark.parametrize("filler", [0, 7, 40, 1500])
@pytest.mark.parametrize("key", ["_code", "code"])
def test_a_generated_forward_is_medium_and_says_so(filler, key):
    assert verdict(graph(FORWARD, filler=filler, key=key)) == "medium"


@pytest.mark.parametrize(
    "line",
    [
        'add = getattr(self, "0")(x)',
        'add = getattr(self.features, "12")(x); other = getattr(self.layers, "0").conv(x)',
    ],
)
def test_members_of_a_sequential_have_numbers_for_names(line):
    assert verdict(graph(FORWARD.replace("return", f"{line}\n    return", 1))) == "medium"


@pytest.mark.parametrize(
    "line",
    [
        'add = getattr(self, "system")("true")',
        "add = getattr(self, name)(x)",
        'add = getattr(x.y(), "0")(x)',
        'add = getattr(self, "0", torch.load)(x)',
    ],
)
def test_other_lookups_are_no_members(line):
    assert verdict(graph(FORWARD.replace("return", f"{line}\n    return", 1))) == "critical"


@pytest.mark.parametrize(
    ("code", "block"),
    [
        (FORWARD, BLOCK + "import os\n"),
        (FORWARD, BLOCK + "from torch import load\n"),
        (FORWARD, BLOCK + "from builtins import eval as relu\n"),
        (FORWARD, BLOCK + "print(1)\n"),
        (FORWARD, BLOCK + "NoneType = type(None); import os\n"),
        (FORWARD, "import acme.evil\n" + BLOCK),
        (FORWARD + "eval('1')\n", BLOCK),
        (FORWARD.replace("torch.cat", "torch.load"), BLOCK),
        (FORWARD.replace("torch.cat", "torch.hub.load"), BLOCK),
        (FORWARD.replace("torch.cat", "torch.serialization.os.system"), BLOCK),
        (FORWARD.replace("torch.cat", "torch.ops.load_library"), BLOCK),
        (FORWARD.replace("torch.cat", "(lambda x: x)"), BLOCK),
        (FORWARD.replace("torch.cat", "x.__class__"), BLOCK),
        (FORWARD.replace("torch.cat", "[torch.load][0]"), BLOCK),
        (FORWARD.replace("len(add)", "open(add)"), BLOCK),
        (FORWARD.replace("len(add)", "getattr(torch, 'load')(add)"), BLOCK),
        (FORWARD.replace("len(add)", "type(add)").replace("input_1 = input", "type = eval; input_1 = input"), BLOCK),
        (FORWARD.replace("y = None", "y = __import__('os')"), BLOCK),
        ("@torch.jit.script\n" + FORWARD.strip(), BLOCK),
        ("class A:\n    pass\n" + FORWARD, BLOCK),
        ("no python at all(", BLOCK),
        ("(" * 5000, BLOCK),
        ("x = " + "-" * 50_000 + "1", BLOCK),
        (FORWARD + "#" * (1 << 18), BLOCK),
    ],
)  # fmt: skip
def test_any_other_source_is_critical(code, block):
    assert verdict(graph(code, block)) == "critical"


def test_the_last_source_of_a_dict_counts_wherever_it_stands():
    first = graph(FORWARD)
    evil = text("_code") + text("import os\n") + b"s"
    assert verdict(first.replace(b"u" + text(BLOCK), b"u" + evil + text(BLOCK))) == "critical"
    assert verdict(graph(FORWARD, filler=5000)) == "critical"
    assert verdict(first.replace(b"}(", b"}q\x01(", 1).replace(text("_code"), b"K\x01")) == "critical"


def test_source_that_is_not_there_is_critical():
    call = b"\x80\x02ctorch.fx.graph_module\nreduce_graph_module\n"
    for args in (
        b")",
        b"}\x85",
        b"}}\x86",
        b"N" + text(BLOCK) + b"\x86",
        pickle.dumps({}, 2)[2:-1] + b"N\x86",
    ):
        assert verdict(call + args + b"R.") == "critical"


@pytest.mark.parametrize("source", ["", "\0", "import a.b as c, d", "from . import x", "x = 1\n" * 9])
def test_effects_are_total(source):
    assert set(graph_source.effects(source)) >= {"imports", "calls", "other"}
