"""Where lock files take their files from."""

import pytest

from mlgate.checks.dependencies.manifests import pylock, uvlock
from mlgate.core.limits import DEFAULT

PYPI = "https://pypi.org/simple"
FILES = "https://files.pythonhosted.org/packages/a/torch-2.6.0.whl"


def uv(registry, url):
    return uvlock.read(
        f"""version = 1
[[package]]
name = "torch"
version = "2.6.0"
source = {{ registry = "{registry}" }}
sdist = {{ url = "{FILES}", hash = "sha256:00" }}
wheels = [{{ url = "{url}", hash = "sha256:00" }}]
""".encode(),
        DEFAULT,
    )


def lock(index, url):
    return pylock.read(
        f"""lock-version = "1.0"
[[packages]]
name = "torch"
version = "2.6.0"
{index}
wheels = [{{ url = "{url}", hashes = {{ sha256 = "00" }} }}]
""".encode(),
        DEFAULT,
    )


def reasons(reading):
    return [(problem.reason, problem.subject) for problem in reading.problems]


@pytest.mark.parametrize(
    ("registry", "url", "expected"),
    [
        (PYPI, FILES, []),
        (PYPI, "https://evil.example/torch-2.6.0.whl", [("url-requirement", "torch")]),
        (PYPI, "https://files.pythonhosted.org.evil.example/t.whl", [("url-requirement", "torch")]),
        (PYPI, "https://files.pythonhosted.org@evil.example/t.whl", [("url-requirement", "torch")]),
        (PYPI, "file:///torch.whl", [("url-requirement", "torch")]),
        (PYPI, "https://[", [("url-requirement", "torch")]),
        ("https://download.pytorch.org/whl/cu121", "https://download-r2.pytorch.org/t.whl", []),
        ("./wheels", "torch.whl", [("local-requirement", "torch")]),
    ],
)
def test_a_uv_lock_cannot_call_a_file_from_elsewhere_a_release(registry, url, expected):
    assert reasons(uv(registry, url)) == expected


@pytest.mark.parametrize(
    ("index", "url", "expected"),
    [
        (f'index = "{PYPI}"', FILES, []),
        ("", FILES, []),
        ("", "https://evil.example/torch-2.6.0.whl", [("url-requirement", "torch")]),
        ('index = "https://own.example/simple"', "https://own.example/t.whl", []),
        ("index = 7", "https://evil.example/t.whl", [("url-requirement", "torch")]),
    ],
)
def test_a_pylock_cannot_either(index, url, expected):
    assert reasons(lock(index, url)) == expected


def test_an_index_other_than_pypi_is_named_once_with_its_line():
    reading = uv("https://user:secret@own.example/simple?token=x", FILES)
    assert [(index.url, index.option, index.line) for index in reading.indexes] == [
        ("https://***@own.example/simple", "index", 4)
    ]
    assert not uv(PYPI, FILES).indexes
    assert lock('index = "https://own.example/simple"', FILES).indexes
