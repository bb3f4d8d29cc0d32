"""A starter policy, written from what the repository holds."""

import json
import re
from collections import Counter
from pathlib import Path, PurePosixPath

from mlgate import gate, profiles
from mlgate.core.facts import Check
from mlgate.core.report import Report
from mlgate.policy import load

# Formats that hold weights and no code: worth insisting on where a team has nothing else.
_CODELESS = frozenset({"safetensors", "onnx", "numpy", "npz"})


class StarterError(Exception):
    """The policy cannot be written."""


def write(root: Path, profile: str = profiles.DEFAULT, *, force: bool = False) -> str:
    """Write ``.mlgate.yaml`` below ``root`` and return what to tell the user.

    Raises:
        StarterError: There is one already, or the folder cannot be written to.
    """
    path = root / load.NAME
    if path.is_symlink():
        raise StarterError(f"{path} is a symbolic link, which is not followed; remove it")
    if path.exists() and not force:
        raise StarterError(f"{path} is there already; --force replaces it")
    report = gate.run(
        gate.Request(root=root, checks=(Check.MODELS, Check.DEPENDENCIES), use_policy=False, offline=True)
    )
    broken = [entry.item.message for entry in report.not_checked if entry.item.reason == "target"]
    if broken:
        raise StarterError(broken[0])
    try:
        path.write_text(render(report, profile), encoding="utf-8")
    except OSError as error:
        raise StarterError(f"cannot write {path}: {error.strerror or error}") from error
    return _summary(path, profile, report)


def render(report: Report, profile: str = profiles.DEFAULT) -> str:
    """Return the policy of a profile for a repository, as seen without one."""
    formats = Counter(record.format for record in report.inventory)
    model = _model([record.path for record in report.inventory if record.format == "onnx"])
    return profiles.load(profile).substitute(
        found=", ".join(f"{count} {name}" for name, count in sorted(formats.items())) or "no model files yet",
        formats=_formats(formats),
        codeless=", ".join(sorted(_CODELESS)),
        manifests=_manifests(sorted({package.path for package in report.packages})),
        name=PurePosixPath(model).stem,
        model=model,
    )


def _formats(formats: Counter[str]) -> str:
    named = sorted(set(formats) - {"opaque"})
    if not named or not set(named) <= _CODELESS:
        return "  # allow_formats: [safetensors, onnx]     # keep formats that run code out"
    listed = f"  allow_formats: [{', '.join(named)}]"
    return f"  # None of these formats runs code when it is loaded; keep it so.\n{listed}"


def _manifests(manifests: list[str]) -> str:
    if not manifests:
        return (
            "  # No manifest with packages was found. Name yours, or say with an empty list\n"
            "  # that there is none; until then the run is undecided.\n"
            "  # manifests: [requirements.txt]"
        )
    # A JSON string is a YAML string, whatever the name holds.
    return "\n".join(["  manifests:", *(f"    - {json.dumps(path)}" for path in manifests)])


def _model(models: list[str]) -> str:
    # A comment in the policy must stay one: only a tame path goes in.
    tame = [path for path in models if re.fullmatch(r"[\w./-]+", path, re.ASCII)]
    return tame[0] if tame else "models/classifier.onnx"


def _summary(path: Path, profile: str, report: Report) -> str:
    counts = Counter(finding.severity for finding in report.findings)
    worst_first = sorted(counts, reverse=True)
    found = ", ".join(f"{counts[severity]} {severity.value}" for severity in worst_first) or "none"
    gaps = sum(entry.counts for entry in report.not_checked)
    return (
        f"Wrote {path} ({profile}).\n"
        f"The repository as it stands: {report.verdict.value}; findings: {found}; not checked: {gaps}.\n"
        "Next: read the policy, then run `mlgate check`. Where what is there already would fail,\n"
        "`mlgate baseline` lets only what is new fail.\n"
    )
