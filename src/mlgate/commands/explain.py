"""``mlgate explain``: one rule, in full."""

import argparse
import difflib

from mlgate import console, rulebook, rules

HELP = "what a rule means, why it matters, how to fix it"
ORDER = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the rule."""
    parser.add_argument("rule", metavar="RULE", help="id or name, e.g. MLG-PKL-002")


def run(arguments: argparse.Namespace) -> int:
    """Write what a rule means.

    Raises:
        CommandError: There is no such rule.
    """
    wanted = arguments.rule.casefold()
    # Code scanning shows MLG-DEP-001-critical where a rule's severity varies.
    base = "-".join(wanted.split("-")[:3])
    for rule in rules.load():
        if rule.name.casefold() == wanted or rule.id.casefold() == base:
            console.write(rulebook.render_rule(rule))
            return 0
    names = [name for rule in rules.load() for name in (rule.id, rule.name)]
    close = difflib.get_close_matches(arguments.rule, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise console.CommandError(f"there is no rule {arguments.rule}{hint} (`mlgate rules` lists them)")
