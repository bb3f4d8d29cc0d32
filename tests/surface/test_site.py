"""The documentation as a site: it builds without a warning, whole, and fetches nothing when it is read."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build(folder):
    return subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    return folder


@pytest.fixture(scope="module")
def site(source):
    result = build(source)
    assert result.returncode == 0, result.stdout + result.stderr
    return source / "site"


def test_every_page_is_built(site):
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages <= {path.stem for path in site.glob("*.html")}


def test_no_page_fetches_anything(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(
            r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["']?((?:https?:)?//[^"' >]+)""", text
        )
        fetched += re.findall(
            r"""<link\b[^>]*?\brel=["']?(?:stylesheet|preconnect|icon)[^>]*?//[^>]*""", text
        )
        assert not fetched, page.name


def test_a_link_that_leads_nowhere_fails_the_build(source, tmp_path):
    shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns("site", ".cache"))
    page = tmp_path / "source/docs/index.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[nowhere](policy.md#nowhere)\n", encoding="utf-8")
    assert build(tmp_path / "source").returncode != 0
