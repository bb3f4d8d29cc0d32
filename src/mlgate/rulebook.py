"""The rules for people: the documentation page, ``mlgate explain`` and ``mlgate rules``."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from mlgate.core.facts import Check
from mlgate.core.rules import Rule
from mlgate.prose import set_plain

ATLAS_VERSION = "5.6.0"
WIDTH = 80
_CWE = "https://cwe.mitre.org/data/definitions/{}.html"
_ATLAS = "https://atlas.mitre.org/techniques/{}"
_SECTIONS = (("What it does", "what"), ("Why is this bad?", "why"), ("How to fix", "fix"))
# `path` narrows a waiver; so do `subject`, `package` and `advisory`.
_WAIVER = """\
In the policy; every report lists it until it ends.

```yaml
waivers:
  - rule: {rule}
    path: {path}
    reason: why this is acceptable, for whoever reviews it
    expires: YYYY-MM-DD
```
"""
_PATHS = {Check.MODELS: "models/name.pkl", Check.DEPENDENCIES: "requirements.txt"}
_HEAD = """\
# Rules

<!-- Generated from the rules themselves; `mlgate rules --format markdown` prints it. -->

A rule looks at facts and names what is wrong with them. The policy decides which severity fails a
run, and may waive a finding for a time. `mlgate explain RULE` shows the same text on a terminal.
"""


def ordered(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules by check, in the order in which checks run, then by id."""
    checks = list(Check)
    return sorted(rules, key=lambda rule: (checks.index(rule.check), rule.id))


def severity_words(rule: Rule) -> str:
    """Return the rule's severity, and whether a finding may have another."""
    return f"{rule.severity.value} (varies with what is found)" if rule.varies else rule.severity.value


def render_markdown(rules: Iterable[Rule]) -> str:
    """Return ``docs/rules.md``: an index by check, then a section for each rule."""
    rules = ordered(rules)
    parts = [_HEAD]
    for check in dict.fromkeys(rule.check for rule in rules):
        parts.append(f"## {check.value.capitalize()}\n")
        rows = [rule for rule in rules if rule.check is check]
        lines = ["| Rule | Name | Severity | |", "|---|---|---|---|"]
        lines += [_index_row(rule) for rule in rows]
        parts.append("\n".join(lines) + "\n")
    parts += map(_section, rules)
    return "\n".join(parts)


def help_markdown(rule: Rule, heading: str = "###") -> str:
    """Return what a rule does, why that is bad, how to fix it and where to read more, in Markdown."""
    parts = [f"{heading} {title}\n\n{getattr(rule, key).strip()}\n" for title, key in _SECTIONS]
    if rule.references:
        items = "\n".join(f"- {_link(reference)}" for reference in rule.references)
        parts.append(f"{heading} References\n\n{items}\n")
    return "\n".join(parts)


def render_rule(rule: Rule, width: int = WIDTH) -> str:
    """Return one rule's help as plain text of at most ``width`` columns, for a terminal."""
    lines = set_plain(f"{rule.id} {rule.name}", width)
    lines += set_plain(rule.summary, width)
    lines.append("")
    pairs = [("Severity", severity_words(rule)), ("Check", rule.check.value), *_taxonomy(rule)]
    for label, words in pairs:
        lines += set_plain(words, width, " " * 12, f"{label:<12}")
    for title, key in _SECTIONS:
        lines += ["", title, *_spaced(getattr(rule, key), width)]
    if "waivers:" not in rule.fix:
        waiver = _WAIVER.format(rule=rule.id, path=_PATHS.get(rule.check, ".mlgate.yaml"))
        lines += ["", "How to accept it for a time", *_spaced(waiver, width)]
    if rule.references:
        lines += ["", "References"]
        for reference in rule.references:
            lines += set_plain(reference, width, "    ", "  - ")
    return "\n".join(lines) + "\n"


def render_table(rules: Iterable[Rule], width: int = WIDTH) -> str:
    """Return every rule on one or more lines of at most ``width`` columns, grouped by check."""
    rules = ordered(rules)
    lines: list[str] = []
    for check in dict.fromkeys(rule.check for rule in rules):
        lines += ["", check.value] if lines else [check.value]
        for rule in rules:
            if rule.check is check:
                lead = f"  {rule.id:<12} {rule.severity.value:<9} "
                lines += set_plain(f"{rule.name}: {rule.summary}", width, " " * len(lead), lead)
    return "\n".join(lines) + "\n"


def render_json(rules: Iterable[Rule]) -> str:
    """Return every rule with its help and taxonomy as a JSON array."""
    return json.dumps([_plain(rule) for rule in ordered(rules)], indent=2, ensure_ascii=False) + "\n"


def _plain(rule: Rule) -> dict[str, Any]:
    names = ("id", "name", "check", "severity", "varies", "summary", "what", "why", "fix", "references")
    taxonomy = ("cwe", "atlas", "owasp", "security", "precision", "kinds")
    found = {name: getattr(rule, name) for name in (*names, *taxonomy)}
    return found | {"check": rule.check.value, "severity": rule.severity.value}


def _taxonomy(rule: Rule) -> Sequence[tuple[str, str]]:
    pairs = (
        ("CWE", ", ".join(f"CWE-{number}" for number in rule.cwe)),
        ("MITRE ATLAS", ", ".join(rule.atlas)),
        ("OWASP", ", ".join(rule.owasp)),
    )
    return [(label, words) for label, words in pairs if words]


def _facts_table(rule: Rule) -> str:
    cwe = ", ".join(f"[CWE-{number}]({_CWE.format(number)})" for number in rule.cwe)
    atlas = ", ".join(f"[{technique}]({_ATLAS.format(technique)})" for technique in rule.atlas)
    rows = [
        ("Name", f"`{rule.name}`"),
        ("Severity", severity_words(rule)),
        ("Check", rule.check.value),
        ("CWE", cwe),
        (f"MITRE ATLAS {ATLAS_VERSION}", atlas),
        ("OWASP", ", ".join(rule.owasp)),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {label} | {words} |" for label, words in rows if words)])


def _section(rule: Rule) -> str:
    return f"## {rule.id}\n\n{rule.summary}\n\n{_facts_table(rule)}\n\n{help_markdown(rule)}"


def _index_row(rule: Rule) -> str:
    cells = (f"[{rule.id}](#{rule.id.lower()})", rule.name, rule.severity.value, _cell(rule.summary))
    return f"| {' | '.join(cells)} |"


def _spaced(markdown: str, width: int) -> list[str]:
    return set_plain(markdown, width, "  ")


def _link(reference: str) -> str:
    return f"<{reference}>" if reference.startswith(("https://", "http://")) else reference


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
