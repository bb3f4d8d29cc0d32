"""Which of the repository's files go along with an architecture."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate import target
from mlgate.checks.assessment.architecture import Factory, factory, gather, imported, module_of
from mlgate.checks.assessment.problems import Unassessable

FUZZ = settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def gathered(folder, text, files):
    write(folder, files)
    return gather(target.working_tree(folder), text, "model.architecture")


PACKAGE = {
    "src/acme/__init__.py": "",
    "src/acme/nets/__init__.py": "",
    "src/acme/nets/cnn.py": "import torch\nfrom .parts import (\n    Block,\n)\nfrom . import norms\n",
    "src/acme/nets/parts.py": "def late():\n    import acme.more as more, json\n",
    "src/acme/nets/norms.py": "from ..deep.down.there import x\n",
    "src/acme/more.py": "",
    "src/acme/deep/down/there.py": "",
    "src/acme/unused.py": "raise SystemExit\n",
    "src/setup.py": "",
    "json.py": "",
}


def test_a_package_s_imports_are_followed(tmp_path):
    found = gathered(tmp_path, "src/acme/nets/cnn.py:Net", PACKAGE)
    assert sorted(found) == [
        "json.py",
        "src/acme/__init__.py",
        "src/acme/deep/down/there.py",
        "src/acme/more.py",
        "src/acme/nets/__init__.py",
        "src/acme/nets/cnn.py",
        "src/acme/nets/norms.py",
        "src/acme/nets/parts.py",
    ]
    assert found["src/acme/nets/cnn.py"] == PACKAGE["src/acme/nets/cnn.py"]


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("net.py:Net", {"net.py": "import parts", "parts.py": "", "other.py": ""}, ["net.py", "parts.py"]),
        ("./net.py:Net", {"net.py": ""}, ["net.py"]),
        ("a/net.py:Net", {"a/net.py": "import parts", "a/parts.py": ""}, ["a/net.py", "a/parts.py"]),
        ("a/net.py:Net", {"a/net.py": "from a.parts import x", "a/parts.py": ""}, ["a/net.py", "a/parts.py"]),
        ("a/net.py:Net", {"a/net.py": "import net", "net.py": ""}, ["a/net.py", "net.py"]),
        ("net.py:Net", {"net.py": "import net\nfrom net import net"}, ["net.py"]),
        ("net.py:Net", {"net.py": "from ... import x\nfrom ....y import z"}, ["net.py"]),
        ("torch.nn:Linear", {"torch/nn.py": ""}, []),
    ],
)
def test_what_goes_along(tmp_path, text, files, expected):
    assert sorted(gathered(tmp_path, text, files)) == expected


def test_nothing_outside_the_repository_goes_along(tmp_path):
    write(tmp_path, {"secret.py": "", "in/net.py": "from ..secret import x\n"})
    (tmp_path / "in" / "link.py").symlink_to(tmp_path / "secret.py")
    (tmp_path / "in" / "more.py").write_text("import link")
    assert sorted(gather(target.working_tree(tmp_path / "in"), "net.py:Net", "k")) == ["net.py"]
    assert sorted(gather(target.working_tree(tmp_path / "in"), "more.py:Net", "k")) == ["more.py"]
    with pytest.raises(Unassessable):
        gather(target.working_tree(tmp_path / "in"), "../secret.py:Net", "k")
    with pytest.raises(Unassessable):
        gather(target.working_tree(tmp_path / "in"), "link.py:Net", "k")


@pytest.mark.parametrize(
    ("files", "reason", "said"),
    [
        ({}, "missing-file", "net.py does not exist"),
        ({"net.py": b"\xff"}, "wrong-architecture", "net.py is not UTF-8"),
        ({"net.py": b"#" * (5 << 20)}, "limit", "net.py"),
        ({"net.py": "import p", "p.py": b"#" * (4 << 20)}, "limit", "imports more than"),
        (
            {"net.py": "\n".join(f"import m{n}" for n in range(300)), **{f"m{n}.py": "" for n in range(300)}},
            "limit",
            "imports more than 200 files",
        ),
        ({"net.py": "import " + ", ".join(f"m{n}" for n in range(20_000))}, "limit", "names"),
    ],
)
def test_what_cannot_go_along_is_said(tmp_path, files, reason, said):
    with pytest.raises(Unassessable) as caught:
        gathered(tmp_path, "net.py:Net", files)
    assert (caught.value.reason, caught.value.key) == (reason, "model.architecture")
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("acme.nets:Net", Factory("acme.nets", "Net")), ("a/b.py:make", Factory("a/b.py", "make"))],
)
def test_a_factory_is_read(text, expected):
    assert factory(text) == expected
    assert factory(text).is_file is text.startswith("a/")


def test_a_file_s_name_starts_at_the_first_folder_that_is_no_package():
    sources = {"src/a/__init__.py": "", "src/a/b/__init__.py": ""}
    assert module_of("src/a/b/c.py", sources) == ("src", "a.b.c")
    assert module_of("c.py", sources) == ("", "c")
    assert module_of("x/c.py", sources) == ("x", "c")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import a.b as c, d", {"a.b", "as", "c", "d"}),
        ("  from a.b import c", {"a.b", "a.b.c"}),
        ("from . import c", {"p.q.c", "p.q"}),
        ("from .. import c", {"p.c", "p"}),
        ("from .a import (\n  b,\n  c)", {"p.q.a", "p.q.a.b", "p.q.a.c"}),
        ("x = 'from here to there'", set()),
        ("important = 1", set()),
    ],
)
def test_imports_are_seen(line, expected):
    assert set(imported(line, "p.q")) == expected


@FUZZ
@given(st.text(alphabet=" \tfromimport.(),ab\n\0\u00e4", max_size=200))
def test_any_text_can_be_followed(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    found = gathered(folder, "net.py:Net", {"net.py": text})
    assert found["net.py"] == text
