import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.checks.dependencies.manifest import Reading, Unreadable
from mlgate.checks.dependencies.manifests import installed
from mlgate.core.limits import DEFAULT

TORCH = "Metadata-Version: 2.1\nName: Torch\nVersion: 1.13.0+cu117\n\nName: other\nVersion: 9\n"
NUMPY = "Name: numpy\nVersion: 2.1.2\n"


def test_reads_the_headers_and_not_the_description():
    (found,) = installed.read(TORCH.encode(), DEFAULT).requirements
    assert (found.name, found.version, found.line) == ("torch", "1.13.0+cu117", 3)


@pytest.mark.parametrize(
    "text", ["", "Name: a\n", "Version: 1\n", "Name: ../a\nVersion: 1", "\n\nName: a\nVersion: 1\n", "\0"]
)
def test_metadata_without_name_or_version_is_said(text):
    with pytest.raises(Unreadable):
        installed.read(text.encode(), DEFAULT)


@pytest.mark.parametrize(
    "site",
    [
        ".venv/lib/python3.12/site-packages/",
        "lib/python3.12/site-packages/",
        "",
        "target/",
        "x/site-packages/",
    ],
)
def test_an_environment_that_is_all_the_user_asks_about_is_read(collect, pins, kinds, site):
    venv = site.partition("lib/")[0] if "lib/" in site else None
    files = {
        f"{site}torch-1.13.0.dist-info/METADATA": TORCH,
        f"{site}numpy-2.1.2.dist-info/METADATA": NUMPY,
        f"{site}old.egg-info/PKG-INFO": "Name: scipy\nVersion: 1.0\n",
        f"{site}torch/requirements.txt": "nothing-of-ours\n",
    }
    if venv is not None:
        files |= {f"{venv}pyvenv.cfg": "", f"{venv}bin/activate": ""}
    seen = collect(files)
    assert {name for name, _, _, _ in pins(seen)} >= {"torch", "numpy", "scipy"}
    assert ("dependency.vulnerable", "torch==1.13.0+cu117") in kinds(seen)
    assert ("nothing-of-ours" in str(seen)) == (site in ("", "target/"))


def test_an_environment_within_a_repository_is_not_the_repositorys(collect, pins):
    seen = collect(
        {
            "requirements.txt": "numpy==2.1.2\n",
            ".venv/pyvenv.cfg": "",
            ".venv/lib/python3.12/site-packages/torch-1.13.0.dist-info/METADATA": TORCH,
            "src/a.egg-info/PKG-INFO": TORCH,
        }
    )
    assert pins(seen) == [("numpy", "2.1.2", "requirements.txt", 1)]


def test_metadata_at_the_root_of_a_repository_hides_no_manifest(collect, pins):
    seen = collect({"a.dist-info/METADATA": NUMPY, "requirements.txt": "torch==1.13.0\n", "pyvenv.cfg": ""})
    assert {name for name, _, _, _ in pins(seen)} == {"numpy", "torch"}


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.binary(max_size=100) | st.integers(0, len(TORCH)).map(lambda cut: TORCH[:cut].encode()))
def test_whatever_the_bytes_it_answers(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(installed.read(data, DEFAULT), Reading)
