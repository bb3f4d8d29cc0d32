import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, format_of, judged, kinds, look, reasons, zipped

CALL = "!!python/object/apply:os.system ['true']"
WRITTEN = {
    "plain": f"a: 1\nb: {CALL}\n",
    "at the root": CALL,
    "in a list": f"- 1\n- {CALL}\n",
    "as a key": f"? {CALL}\n: 1\n",
    "in flow": "{a: [" + CALL + "]}",
    "behind an anchor": f"a: &x {CALL}\nb: *x\n",
    "tag before anchor": "a: !!python/object/apply:os.system &x ['true']\n",
    "in the second document": f"a: 1\n---\nb: {CALL}\n",
    "in a merged mapping": f"a: &x {{k: {CALL}}}\nb: {{<<: *x}}\n",
    "verbatim": "a: !<tag:yaml.org,2002:python/object/apply:os.system> ['true']\n",
    "aliased by a directive": "%TAG !y! tag:yaml.org,2002:pyt\n---\na: !y!hon/object/apply:os.system ['true']\n",
    "the directive redefines a mark": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system ['true']\n",
    "escaped": "a: !!p%79thon/object/apply:os%2Esystem ['true']\n",
    "escaped verbatim": "a: !<tag:yaml.org,2002:%70%79thon/object/apply:os.system> ['true']\n",
    "with a mark of UTF-8": f"\ufeffa: {CALL}\n",
    "windows lines": f"a: 1\r\nb: {CALL}\r\n",
    "in JSON's clothes": '{"a": ' + CALL + "}",
    "with bytes that are no text": f"# \udcff\na: {CALL}\n",
}


@pytest.mark.parametrize("name", ["config.yaml", "config.yml", "params", "notes.txt", "config.json"])
@pytest.mark.parametrize("how", WRITTEN)
def test_a_call_is_found_however_it_is_written(how, name):
    seen = look(WRITTEN[how].encode("utf-8", "surrogateescape"), name)
    assert [(each.rule, each.severity.value, each.subject) for each in judged(seen)] == [
        ("MLG-YML-001", "critical", "os.system")
    ]
    assert format_of(seen) == "yaml"


def test_texts_of_sixteen_bits():
    seen = look(b"\xff\xfe" + WRITTEN["plain"].encode("utf-16-le"), "c.yaml")
    assert [each.rule for each in judged(seen)] == ["MLG-YML-001"]


def test_it_stands_at_its_line():
    (fact,) = look(WRITTEN["plain"].encode(), "c.yaml").facts
    assert fact.location.line == 2


def test_members_of_archives_are_read():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo("model_config.yaml")
        info.size = len(WRITTEN["plain"])
        archive.addfile(info, io.BytesIO(WRITTEN["plain"].encode()))
    for archived in (data.getvalue(), zipped(Entry("a/c.yaml", WRITTEN["plain"].encode(), method=8))):
        assert [each.rule for each in judged(look(archived, "m.bin"))] == ["MLG-YML-001"]


@pytest.mark.parametrize(
    ("tag", "severity"),
    [
        ("!!python/object/apply:subprocess.Popen", "critical"),
        ("!!python/object/apply:builtins.eval", "critical"),
        ("!!python/object/apply:eval", "critical"),
        ("!!python/object/new:exec", "critical"),
        ("!!python/object/new:map", "critical"),
        ("!!python/object/new:type", "critical"),
        ("!!python/object:subprocess.Popen", "critical"),
        ("!!python/object/apply:pickle.loads", "critical"),
        ("!!python/object/apply:importlib.import_module", "critical"),
        ("!!python/object/apply:shutil.rmtree", "high"),
        ("!!python/object/apply:acme.load", "high"),
        ("!!python/name:os.system", "high"),
        ("!!python/name:exec", "high"),
        ("!!python/module:antigravity", "high"),
        ("!!python/object/new:acme.Config", "medium"),
        ("!!python/object:acme.Config", "medium"),
        ("!!python/object/apply:getattr", "medium"),
        ("!!python/module:acme.setup", "medium"),
        ("!!python/object/apply:pathlib.PosixPath", "low"),
        ("!!python/object/apply:collections.OrderedDict", "low"),
        ("!!python/object/apply:numpy.core.multiarray.scalar", "low"),
        ("!!python/object:argparse.Namespace", "low"),
        ("!!python/object/apply:torch.device", "low"),
        ("!!python/name:acme.fence", "low"),
        ("!!python/module:os", "low"),
        ("!!python/name:material.extensions.emoji.twemoji", "info"),
        ("!!python/name:pymdownx.superfences.fence_code_format", "info"),
        ("!!python/object/apply:pymdownx.slugs.slugify", "info"),
        ("!!python/name:mermaid2.fence_mermaid_custom", "info"),
        ("!apply:os.system", "critical"),
        ("!new:subprocess.Popen", "critical"),
        ("!name:builtins.exec", "high"),
        ("!apply:pickle.load", "medium"),
        ("!apply:eval", "critical"),
        ("!apply:shutil.rmtree", "high"),
        ("!apply:posix.remove", "high"),
        ("!apply:speechbrain.utils.data_utils.shutil.rmtree", "high"),
        ("!name:os.remove", "medium"),
        ("!apply:urllib.request.urlretrieve", "medium"),
        ("!apply:open", "medium"),
        ("!apply:operator.methodcaller", "medium"),
        ("!module:os", "high"),
        ("!module:antigravity", "high"),
        ("!module:speechbrain.utils.data_utils.os", "high"),
        ("!module:acme.__main__", "high"),
        ("!module:code", "high"),
        ("!include:../../../../etc/passwd", "high"),
        ("!include:%2e%2e/x.yaml", "high"),
        ("!include:/etc/x.yaml", "high"),
    ],
)
def test_what_is_used_decides(tag, severity):
    found = judged(look(f"a: {tag} [x]\n".encode(), "c.yaml"))
    assert [(each.rule, each.severity.value) for each in found] == [("MLG-YML-001", severity)]


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/tuple [1, 2]\nb: !!python/unicode x\nc: !!python/none\nd: !!python/str y\n",
        "Bucket: !Ref Name\nOther: !GetAtt A.B\nText: !Sub '${X}'\nMap: !FindInMap [a, b, c]\n",
        "script:\n  - !reference [.setup, script]\n",
        "password: !secret db\nmore: !include x.yaml\nenv: !env_var HOME\n",
        "model: !new:speechbrain.nnet.CNN.Conv1d\n  size: 1\nseed: !apply:torch.manual_seed [1]\n",
        "mine: !new:acme.nnet.Net\n",
        "a: !include:augment.yaml\nb: !include:parts/x.yaml\n  lr: 1\n",
        "a: !ref <b>\nb: !name:torch.optim.Adam\n  lr: 0.1\nc: !apply:max [1, 2]\nd: !new:dict\n",
        "a: !apply:speechbrain.utils.seed.seed_everything [1]\nb: !apply:os.path.join [a, b]\n",
        "a: !module:torch.nn\nb: !module:speechbrain.nnet.losses\nc: !module:os.path\nd: !module:acme.code\n",
        "a: !apply:numpy.random.seed [1]\nb: !name:torch.nn.functional.relu\nc: !apply:random.seed [1]\n",
        "a: !apply:speechbrain.nnet.schedulers.NewBobScheduler\nb: !copy <a>\nc: !tuple (1, 2)\n",
        "a: '!!python/object/apply:os.system'\n",
        "# !!python/object/apply:os.system\na: 1\n",
        "a: |\n  !!python/object/apply:os.system ['x']\n",
        "%YAML 1.2\n---\na: 100%\n",
        "a: !!set {x}\nb: !!binary aGk=\nc: !!omap [a: 1]\n",
    ],
)
def test_ordinary_tags_are_left_in_peace(text):
    seen = look(text.encode(), "c.yaml")
    assert (judged(seen), seen.not_checked) == ((), ())


@pytest.mark.parametrize(
    ("name", "found"), [("notes.md", False), ("test_yaml.py", False), ("notes.txt", False), ("c.yaml", True)]
)
def test_prose_about_tags(name, found):
    text = f"Loading\n```\nx: {CALL}\n```\n: [ is bad\n"
    seen = look(text.replace("```\n", "", 1).encode() if name == "c.yaml" else text.encode(), name)
    assert bool(seen.facts) is (found and "yaml.tag" in kinds(seen))


def test_what_a_broken_document_holds_is_said_of_a_yaml_file():
    broken = f"a: {CALL}\nb: [1\n".encode()
    assert [each.rule for each in judged(look(broken, "c.yaml"))] == ["MLG-YML-001"]
    assert not look(broken, "c.txt").facts
    first = f"a: {CALL}\n---\nb: [1\n".encode()
    assert [each.rule for each in judged(look(first, "c.txt"))] == ["MLG-YML-001"]


def test_laughter_is_not_expanded():
    lines = [f"a0: &a0 [{CALL}]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert [each.subject for each in judged(look("\n".join(lines).encode(), "c.yaml"))] == ["os.system"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_ends(opening):
    seen = look((f"# {CALL}\nx: " + opening * 3000).encode(), "c.yaml")
    assert reasons(seen) <= {"limit"}


def test_long_texts_are_searched_and_said():
    long = f"a: {'x' * 2000}\nb: {CALL}\n".encode()
    assert reasons(look(long, "c.yaml", text_bytes=1000)) == {"limit"}
    assert not reasons(look(b"a: " + b"x" * 2000, "c.yaml", text_bytes=1000))


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_whatever_the_bytes(data):
    seed = bytearray(data.draw(st.sampled_from(sorted(WRITTEN.values()))).encode("utf-8", "surrogateescape"))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(seed)))
        seed[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"!", b"%", b"&", b"*", b"[", b"{", b"\t", b"\0", b"---\n", b": ", b"\xff"])
        )
    seen = look(bytes(seed), data.draw(st.sampled_from(["c.yaml", "c"])))
    assert "reader-failed" not in reasons(seen)


@pytest.mark.parametrize(
    "text",
    [
        "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ['http://127.0.0.1/']]]]",
        "%TAG !j! tag:yaml.org,2002:java\n---\na: !j!x.script.ScriptEngineManager []\n",
    ],
)
def test_classes_of_java_that_load_code(text):
    assert "javax.script.ScriptEngineManager" in {
        each.subject for each in judged(look(text.encode(), "c.yaml"))
    }


@pytest.mark.parametrize(
    "text",
    [
        "!!com.mchange.v2.c3p0.JndiRefForwardingDataSource {jndiName: 'rmi://127.0.0.1/x'}",
        "a: !<tag:yaml.org,2002:com.mchange.v2.c3p0.JndiRefForwardingDataSource> {}",
        "a: !!com%2Emchange.v2.c3p0.JndiRefForwardingDataSource {}",
    ],
)
def test_a_class_of_any_package_is_seen(text):
    (finding,) = judged(look(text.encode(), "c.yaml"))
    assert finding.subject == "com.mchange.v2.c3p0.JndiRefForwardingDataSource"
    assert finding.severity.value == "high"


def test_a_tag_without_a_package_is_nobodys_class():
    assert judged(look(b"a: !!float 1\nb: !!Config.x {}\nc: wow!!such.a.text\n", "c.yaml")) == ()


def test_dates_of_java_are_data():
    assert judged(look(b"a: !!java.util.Date 2020-01-01\n", "c.yaml")) == ()
