"""Judge one fact by every rule."""

from mlgate import rules
from mlgate.core.facts import Fact, Location
from mlgate.core.judge import judge
from mlgate.policy.schema import Policy


def verdicts(kind, subject="x", policy=None, **detail):
    """Return rule and severity of each finding over one fact."""
    fact = Fact(kind=kind, location=Location("model.bin"), subject=subject, detail=detail)
    found = judge(rules.load(), [fact], policy or Policy(version=1))
    assert all(finding.message.endswith(".") and "\n" not in finding.message for finding in found)
    return [(finding.rule, finding.severity.value) for finding in found]
