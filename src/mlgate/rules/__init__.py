"""The rules: one module a family, each with ``RULES``; found by discovery, listed nowhere."""

from functools import cache

from mlgate.core.discovery import modules
from mlgate.core.rules import Rule


class DuplicateRuleError(Exception):
    """Two rules share an id; a programming error."""


@cache
def load() -> tuple[Rule, ...]:
    """Return every rule, sorted by id.

    Raises:
        DuplicateRuleError: Two rules share an id or a name.
    """
    rules = sorted((rule for module in modules(__name__) for rule in module.RULES), key=lambda rule: rule.id)
    for attribute in ("id", "name"):
        values = [getattr(rule, attribute) for rule in rules]
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise DuplicateRuleError(f"more than one rule has the {attribute} {', '.join(sorted(twice))}")
    return tuple(rules)
