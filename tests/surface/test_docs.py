"""What the pages say is so: every key, every command, every link."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import yaml

from mlgate import cli
from mlgate.core.discovery import listed
from mlgate.policy import load
from mlgate.policy.assessment import Assessment, Corruptions, Fairness, Performance, Subgroups
from mlgate.policy.schema import Policy

ROOT = Path(__file__).parents[2]
# The page shows a report of its own making.
UNKNOWN = {"docs/extending.md"}
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"))
    if path.name != "rules.md" and ".venv" not in path.parts
)
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]


# Keys of these sections are the names of modules; docs/measurements.md lists them.
OPEN = {
    Performance: "metrics",
    Subgroups: "metrics",
    Fairness: "fairness",
    Corruptions: "corruptions",
}


def keys(section: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """Yield every key of the policy, dotted; ``[]`` stands for an item of a list."""
    named = set(listed(f"checks/assessment/{OPEN[section]}")) if section in OPEN else set()
    for field in msgspec.structs.fields(section):
        if field.name in named:
            continue
        yield prefix + field.name
        pending: list[tuple[Any, str]] = [(field.type, "")]
        while pending:
            kind, items = pending.pop()
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                yield from keys(kind, f"{prefix}{field.name}{items}.")
            else:
                nested = "[]" if getattr(kind, "__origin__", None) is tuple else items
                pending += [(each, nested) for each in get_args(kind)]


def documented() -> set[str]:
    text = (ROOT / "docs/policy.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([a-z_.\[\]0-9]+)` \|", text, re.MULTILINE))


def test_every_key_of_the_policy_is_documented():
    assert set(keys(Policy)) - documented() == set()


def test_no_key_is_documented_that_does_not_exist():
    assert documented() - set(keys(Policy)) == set()


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def policies(name: str) -> Iterator[str]:
    """Yield every policy that a page shows, and every part of one as a whole policy."""
    whole = {field.name for field in msgspec.structs.fields(Policy)}
    parts = {field.name for field in msgspec.structs.fields(Assessment)}
    for block in blocks(name, "yaml"):
        shown = yaml.safe_load(block)
        if not isinstance(shown, dict):
            continue
        if set(shown) <= parts:
            entry = {"name": "shown", "model": {"path": "m.onnx"}, "data": {"path": "d.npz", "label": "y"}}
            shown = {"assessment": [entry | shown]}
        if set(shown) <= whole:
            yield yaml.safe_dump({"version": 1} | shown)


@pytest.mark.parametrize("name", sorted(set(NAMES) - UNKNOWN))
def test_every_policy_shown_is_valid(name):
    for shown in policies(name):
        files = {"policy.yaml": shown.encode(), "policies/base.yaml": b"version: 1\n"}
        load.load("policy.yaml", files.get)


def test_policies_are_shown():
    pages = {name for name in NAMES if any(policies(name))}
    assert {"README.md", "docs/policy.md", "docs/governance.md"} <= pages


def test_every_section_of_an_assessment_is_shown():
    shown: set[str] = set()
    for block in blocks("docs/policy.md", "yaml"):
        found = yaml.safe_load(block)
        shown |= set(found) if isinstance(found, dict) else set()
    sections = {field.name for field in msgspec.structs.fields(Assessment)}
    assert sections - shown == {"name", "task", "confidence", "seed"}


def commands(name: str) -> Iterator[list[str]]:
    typed = [line for block in blocks(name, "sh") for line in block.splitlines()]
    shown = [line for block in blocks(name, "console") for line in block.splitlines()]
    typed += [line.removeprefix("$ ") for line in shown if line.startswith("$ ")]
    for line in typed:
        if line.startswith("mlgate "):
            words = shlex.split(line, comments=True)
            yield words[1 : words.index(">")] if ">" in words else words[1:]


@pytest.mark.parametrize("name", sorted(set(NAMES) - UNKNOWN))
def test_every_command_shown_is_one(name):
    for words in commands(name):
        if words not in (["--help"], ["--version"]):
            cli._parser().parse_args(words)


def anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_every_local_link_leads_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), target


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_shown_exists(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_readme_names_every_exit_code_and_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("check", "scan", "audit", "assess", "init", "explain", "rules"):
        assert f"mlgate {command}" in text
    for verdict in ("pass", "fail", "undecided"):
        assert verdict in text


def test_the_examples_policies_are_valid():
    for name in ("passing", "blocked"):
        folder = ROOT / "examples" / name
        loaded = load.load(".mlgate.yaml", lambda path, folder=folder: (folder / path).read_bytes())
        assert loaded.policy.assessment
        assert yaml.safe_load((folder / ".mlgate.yaml").read_text())["version"] == 1


@pytest.mark.parametrize("name", ["formats", "measurements"])
def test_a_generated_page_is_current(name):
    written = subprocess.run(
        [sys.executable, f"scripts/{name}.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_every_page_is_in_the_sites_navigation():
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    listed_pages = {page for entry in site["nav"] for page in entry.values()}
    assert listed_pages == {path.name for path in ROOT.glob("docs/*.md")}
