"""A starter policy, written from what the repository holds."""

import re
from collections import Counter
from pathlib import Path, PurePosixPath

from mlgate import gate
from mlgate.core.facts import Check
from mlgate.core.report import Report
from mlgate.policy import load

# Formats that hold weights and no code: worth insisting on where a team has nothing else.
_CODELESS = frozenset({"safetensors", "onnx", "numpy", "npz"})

_TEMPLATE = """\
# mlgate's policy: what is checked, and what blocks a merge. Every key: docs/policy.md;
# a JSON Schema for editors: `mlgate policy schema`.
version: 1

# info, low, medium, high or critical: findings from here on fail the run.
fail_on: high

models:
{models}

dependencies:
{dependencies}

{assessment}
# An accepted finding stays in the report, as waived, until it expires.
# waivers:
#   - rule: MLG-DEP-001
#     advisory: PYSEC-2025-194          # any alias matches
#     path: requirements.txt
#     reason: the vulnerable function is not called
#     expires: 2027-01-31
"""

_ASSESSMENT = """\
# How a model must behave, on your own data:
# assessment:
#   - name: {name}
#     model: {{path: {path}}}
#     data: {{path: data/holdout.npz, features: x, label: y, range: [0, 1]}}
#     performance: {{accuracy: {{min: 0.95}}}}
#     robustness: {{norm: linf, epsilon: 0.1, min_accuracy: 0.60, budget_seconds: 120, seed: 0}}
"""


class StarterError(Exception):
    """The policy cannot be written."""


def write(root: Path, *, force: bool = False) -> str:
    """Write ``.mlgate.yaml`` below ``root`` and return what to tell the user.

    Raises:
        StarterError: There is one already, or the folder cannot be written to.
    """
    path = root / load.NAME
    if path.exists() and not force:
        raise StarterError(f"{path} is there already; --force replaces it")
    report = gate.run(
        gate.Request(root=root, checks=(Check.MODELS, Check.DEPENDENCIES), use_policy=False, offline=True)
    )
    broken = [entry.item.message for entry in report.not_checked if entry.item.reason == "target"]
    if broken:
        raise StarterError(broken[0])
    try:
        path.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise StarterError(f"cannot write {path}: {error.strerror or error}") from error
    return _summary(path, report)


def render(report: Report) -> str:
    """Return the starter policy for a repository, as seen without one."""
    formats = Counter(record.format for record in report.inventory)
    manifests = sorted({package.path for package in report.packages})
    return _TEMPLATE.format(
        models=_models(formats),
        dependencies=_dependencies(manifests),
        assessment=_assessment([record.path for record in report.inventory if record.format == "onnx"]),
    )


def _models(formats: Counter[str]) -> str:
    found = ", ".join(f"{count} {name}" for name, count in sorted(formats.items())) or "no model files yet"
    named = sorted(set(formats) - {"opaque"})
    lines = [f"  # Found: {found}.", '  include: ["**"]']
    if named and set(named) <= _CODELESS:
        lines.append("  # None of these formats runs code when it is loaded; keep it so.")
        lines.append(f"  allow_formats: [{', '.join(named)}]")
    else:
        lines.append("  # allow_formats: [safetensors, onnx]     # keep formats that run code out")
    lines.append("  # allow_globals: [acme.layers.Attention]   # classes of your own, inside pickles")
    return "\n".join(lines)


def _dependencies(manifests: list[str]) -> str:
    if not manifests:
        return (
            "  # No manifest with packages was found. Name yours, or say with an empty list\n"
            "  # that there is none; until then the run is undecided.\n"
            "  # manifests: [requirements.txt]\n"
            "  unpinned: undecided      # or fail, or warn"
        )
    import json  # noqa: PLC0415 - a JSON string is a YAML string, whatever the name holds

    listed = "\n".join(f"    - {json.dumps(path)}" for path in manifests)
    return f"  manifests:\n{listed}\n  unpinned: undecided      # or fail, or warn"


def _assessment(models: list[str]) -> str:
    # A comment in the policy must stay one: only a tame path goes in.
    tame = [path for path in models if re.fullmatch(r"[\w./-]+", path, re.ASCII)]
    path = tame[0] if tame else "models/classifier.onnx"
    return _ASSESSMENT.format(name=PurePosixPath(path).stem, path=path)


def _summary(path: Path, report: Report) -> str:
    counts = Counter(finding.severity for finding in report.findings)
    worst_first = sorted(counts, reverse=True)
    found = ", ".join(f"{counts[severity]} {severity.value}" for severity in worst_first) or "none"
    gaps = sum(entry.counts for entry in report.not_checked)
    return (
        f"Wrote {path}.\n"
        f"The repository as it stands: {report.verdict.value}; findings: {found}; not checked: {gaps}.\n"
        "Next: read the policy, then run `mlgate check`.\n"
    )
