"""A file is read once, whole or not at all, and takes no more memory than it has bytes."""

import hashlib
import subprocess
import sys

import pytest
from msgspec.structs import replace

from mlgate import target
from mlgate.checks.assessment.inputs import read
from mlgate.checks.assessment.problems import Unassessable

SMALL_MACHINE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
from pathlib import Path
from mlgate import target
from mlgate.checks.assessment.inputs import read
print(len(read(target.repository(Path(sys.argv[1])), "m", 8 << 30, "the format", "model.path").data))
"""


def held(folder, content=b"model"):
    (folder / "m").write_bytes(content)
    return target.repository(folder)


def test_the_bytes_and_their_digest(tmp_path):
    found = read(held(tmp_path), "./m", 5, "the format", "model.path")
    assert (found.path, found.data, found.sha256) == ("m", b"model", hashlib.sha256(b"model").hexdigest())


def test_a_small_file_needs_little_memory_whatever_its_limit(tmp_path):
    held(tmp_path)
    ran = subprocess.run([sys.executable, "-c", SMALL_MACHINE, tmp_path], capture_output=True, check=False)
    assert ran.stdout.strip() == b"5", ran.stderr


def test_a_file_that_grew_is_said(tmp_path):
    seen = held(tmp_path)
    before = seen.find("m")
    (tmp_path / "m").write_bytes(b"model and more")
    with pytest.raises(Unassessable, match="grew") as caught:
        read(replace(seen, find=lambda _path: before), "m", 100, "the format", "model.path")
    assert caught.value.reason == "changed"


def test_a_file_larger_than_its_limit_is_not_read(tmp_path):
    with pytest.raises(Unassessable, match="larger than the 4 bytes that the format allows"):
        read(held(tmp_path), "m", 4, "the format", "model.path")
