"""The image's recipe: what is copied is admitted, what is installed has a digest, and nobody is root."""

import fnmatch
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
LINES = [line for line in TEXT.splitlines() if line and not line.startswith("#")]


def of(word):
    return [line.removeprefix(f"{word} ") for line in LINES if line.startswith(f"{word} ")]


def test_the_base_is_pinned_and_the_same_for_both_stages():
    (base,) = of("ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+-slim@sha256:[0-9a-f]{64}", base)
    assert {line.split()[0] for line in of("FROM")} == {"${BASE}"}


def test_what_is_copied_is_there_and_admitted():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = [rule[1:] for rule in rules if rule.startswith("!")]
    assert "*" in rules
    for line in of("COPY"):
        words = line.split()
        if words[0].startswith("--from="):
            continue
        for name in words[:-1]:
            assert (ROOT / name).exists(), name
            assert any(fnmatch.fnmatch(name, rule) for rule in admitted), name
    for name in admitted:
        assert name in TEXT


def test_pip_installs_only_what_has_a_digest_or_was_built_here():
    installs = re.findall(r"pip (?:--python \S+ )?install ([^&]*)", TEXT)
    assert len(installs) == 3
    for options in installs:
        assert "--require-hashes" in options or {"--no-index", "--no-deps"} <= set(options.split())


def test_it_does_not_run_as_root():
    assert of("USER") == ["65532:65532"]
    # Nothing is done after that which would need more.
    assert not [line for line in LINES[LINES.index("USER 65532:65532") :] if line.startswith("RUN")]


def test_it_is_started_without_a_shell():
    assert json.loads(of("ENTRYPOINT")[0]) == ["mlgate"]
    assert json.loads(of("CMD")[0]) == ["check"]
