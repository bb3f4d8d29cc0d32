import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import Entry, file, format_of, judged, look, reasons, scope, zipped

from mlgate.checks.models import collect

HANDLER = b"class Handler:\n    def handle(self, data, context):\n        return data\n"


def manifest(**model):
    return json.dumps(
        {
            "createdOn": "01/01/2026 00:00:00",
            "runtime": "python",
            "model": {
                "modelName": "net",
                "serializedFile": "model.pt",
                "handler": "image_classifier",
                "modelVersion": "1.0",
                **model,
            },
            "archiverVersion": "0.12.0",
        }
    ).encode()


def archive(*extra, text=None, **model):
    return zipped(
        Entry("MAR-INF/", b""),
        Entry("MAR-INF/MANIFEST.json", text or manifest(**model), method=8),
        Entry("handler.py", HANDLER),
        Entry("index_to_name.json", b'{"0": "cat"}'),
        *extra,
    )


def found(data, name="net.mar"):
    return [(each.rule, each.severity.value, each.subject) for each in judged(look(data, name))]


def test_a_handler_of_the_servers_own_is_no_finding():
    seen = look(archive(), "net.mar")
    assert (judged(seen), seen.not_checked, format_of(seen)) == ((), (), "torch-model-archive")


@pytest.mark.parametrize(
    "handler", ["handler.py", "handler", "my_handler:handle", "pkg/handler.py:Handler.run"]
)
def test_a_handler_of_the_archive_is_told(handler):
    expected = [] if handler.isidentifier() else [("MLG-TOR-006", "medium", handler)]
    assert found(archive(handler=handler)) == expected


def test_a_models_source_is_told():
    assert found(archive(modelFile="model.py")) == [("MLG-TOR-006", "medium", "model.py")]


@pytest.mark.parametrize("key", ["handler", "modelFile", "serializedFile", "requirementsFile", "configFile"])
@pytest.mark.parametrize("name", ["../../evil.py", "/etc/passwd", "..\\evil", "C:\\evil.py"])
def test_names_that_leave_the_archive(key, name):
    (each,) = judged(look(archive(**{key: name}), "net.mar"))
    assert (each.rule, each.severity.value) == ("MLG-TOR-006", "high")
    assert each.location.line == 1


def requirements(text, name="requirements.txt"):
    return archive(Entry(name, text.encode()), requirementsFile=name)


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("numpy==1.26.4", None),
        ("numpy==1.26.4 --hash=sha256:00", None),
        ("# --index-url http://x", None),
        ("--extra-index-url https://download.pytorch.org/whl/cpu", None),
        ("-f https://download.pytorch.org/whl/torch_stable.html", None),
        ("--index-url https://pypi.org/simple", None),
        ("--extra-index-url https://packages.example/simple", "high"),
        ("--extra-index-url=https://packages.example/simple", "high"),
        ("-i http://127.0.0.1/", "high"),
        ("--trusted-host packages.example", "high"),
        ("evil @ http://127.0.0.1/evil.tar.gz", "high"),
        ("http://127.0.0.1/evil.whl", "high"),
        ("evil @ https://packages.example/evil.whl", "medium"),
        ("git+https://packages.example/evil.git@main#egg=evil", "medium"),
        ("-e git+ssh://git@packages.example/evil.git", "medium"),
    ],
)
@pytest.mark.parametrize("name", ["requirements.txt", "reqs.in"])
def test_requirements(line, severity, name):
    got = found(requirements(f"torch==2.4.0\n{line}\n", name))
    assert [each[:2] for each in got] == ([("MLG-TOR-006", severity)] if severity else [])


def test_requirements_that_nobody_installs_are_words():
    assert not found(archive(Entry("vocab.txt", b"--index-url http://127.0.0.1/\n")))


def test_credentials_are_not_repeated():
    (each,) = judged(look(requirements("--index-url https://user:pass@packages.example/simple"), "net.mar"))
    assert "pass@" not in each.message
    assert "packages.example" in each.message


def test_an_unpacked_archive():
    files = {
        "store/net/MAR-INF/MANIFEST.json": file(
            "store/net/MAR-INF/MANIFEST.json", manifest(handler="../x.py")
        ),
        "store/net/handler.py": file("store/net/handler.py", HANDLER),
    }
    assert [(each.rule, each.severity.value) for each in judged(collect(scope(files)))] == [
        ("MLG-TOR-006", "high")
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{"name": "app", "manifest_version": 3, "background": {"service_worker": "/x.js"}}',
        b'{"model": {"handler": "../x"}}',
        b'{"model": "x"}',
        b"[]",
        b"{",
        b"text",
    ],
)
def test_other_manifests(text):
    seen = look(text, "manifest.json")
    assert (seen.facts, seen.not_checked) == ((), ())


def test_a_manifest_that_cannot_be_read_is_not_checked():
    assert reasons(look(archive(text=b'{"model": {'), "net.mar")) == {"malformed"}


def test_keys_that_are_given_twice_both_count():
    text = b'{"model": {"handler": "../x.py", "handler": "image_classifier"}}'
    assert [each[1] for each in found(archive(text=text))] == ["high"]


@pytest.mark.parametrize("data", [zipped(Entry("a/net.mar", archive(handler="../x.py")))])
def test_an_archive_in_an_archive(data):
    assert [each[1] for each in found(data, "x.bin")] == ["high"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=80), st.text(max_size=80))
def test_no_archive_ends_its_reader(noise, text):
    assert "reader-failed" not in reasons(look(archive(text=manifest()[:60] + noise), "net.mar"))
    assert "reader-failed" not in reasons(look(requirements(text), "net.mar"))


def test_an_archive_that_is_a_torchscript_too_is_both():
    acts = b"import os\nos.system('true')\n"
    both = [Entry("m/data.pkl", b"\x80\x02}."), Entry("m/constants.pkl", b"\x80\x02).")]
    code = Entry("m/code/__torch__.py", b"torch.save(x, y)\n")
    data = archive(*both, code, Entry("h.py", acts), handler="h.py")
    rules = {(each.rule, each.severity.value) for each in judged(look(data, "net.mar"))}
    assert {("MLG-TOR-001", "high"), ("MLG-HFR-004", "high"), ("MLG-TOR-006", "medium")} <= rules
