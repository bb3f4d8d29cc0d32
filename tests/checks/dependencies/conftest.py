import json
import zipfile

import pytest
from msgspec.structs import replace

from mlgate.checks import Scope, dependencies
from mlgate.policy.load import PolicyFile, load
from mlgate.target import working_tree


@pytest.fixture
def osv():
    """Build one OSV record about a PyPI package."""

    def make(identifier, name, events=(("introduced", "0"),), versions=(), ecosystem="PyPI", **more):
        affected = {
            "package": {"name": name, "ecosystem": ecosystem},
            "ranges": [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in events]}],
            "versions": list(versions),
        }
        return {"id": identifier, "modified": "2024-05-01T00:00:00Z", "affected": [affected], **more}

    return make


@pytest.fixture
def database(tmp_path_factory):
    """Write OSV records (or raw bytes) into a zip and return its path."""

    def make(*records):
        path = tmp_path_factory.mktemp("advisories") / "all.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for index, record in enumerate(records):
                data = record if isinstance(record, bytes) else json.dumps(record)
                archive.writestr(f"{index}.json", data)
        return path

    return make


@pytest.fixture
def scope_of(tmp_path):
    """Write files and return the scope of a run on them."""

    def make(files, policy="", advisories=None, changed=None, deleted=(), offline=True):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        text = f"version: 1\n{policy}".encode()
        loaded = load(".mlgate.yaml", lambda _: text) if policy else PolicyFile(load_default())
        target = working_tree(tmp_path)
        if changed is not None:
            target = replace(
                target,
                whole=False,
                files=tuple(file for file in target.files if file.path in changed),
                deleted=frozenset(deleted),
                unchanged=lambda: sorted(files.keys() - set(changed)),
            )
        return Scope(target=target, policy=loaded, advisories=advisories, offline=offline)

    return make


def load_default():
    return load(".mlgate.yaml", lambda _: b"version: 1\n").policy


@pytest.fixture
def collect(scope_of):
    """Run the check on files."""

    def run(files, policy="", advisories=None, changed=None, deleted=()):
        return dependencies.collect(scope_of(files, policy, advisories, changed, deleted))

    return run


@pytest.fixture
def gaps():
    """Summarise what was not checked as (reason, path, line)."""
    return lambda seen: [(gap.reason, gap.location.path, gap.location.line) for gap in seen.not_checked]


@pytest.fixture
def pins():
    """Summarise packages as (name, version, path, line)."""
    return lambda seen: [(each.name, each.version, each.path, each.line) for each in seen.packages]


@pytest.fixture
def kinds():
    """Summarise facts as (kind, subject), but for the names that are merely required."""
    return lambda seen: [
        (fact.kind, fact.subject) for fact in seen.facts if fact.kind != "dependency.required"
    ]
