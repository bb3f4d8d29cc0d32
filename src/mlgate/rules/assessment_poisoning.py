"""Rules about hints that data is poisoned, or a model has a back door. They never block."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import failed

_MOST_LINES = 12
_FOUND = {
    "cluster_silhouette": "they make a small heap of their own",
    "spectral_outlier_share": "more of them lie far out than chance explains",
}


def _suspected(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "poisoning", "info"):
        detail = fact.detail
        if not detail["suspicious"]:
            continue
        message = f"Some samples of {detail['scanned']} stand apart in their class: {_FOUND[detail['name']]}."
        lines = [f"{detail['method']}; {detail['read_as']}"]
        for name, one in detail["by_class"].items():
            if one["suspicious"]:
                listed = ", ".join(map(str, one["samples"]))
                lines.append(f"class {name}: {one['value']:.3f}{f'; samples {listed}' if listed else ''}")
        yield Hit(fact, message, evidence="\n".join(lines[:_MOST_LINES]))


RULES = (
    Rule(
        id="MLG-ASM-011",
        name="suspected-poisoning",
        check=Check.ASSESSMENT,
        severity=Severity.INFO,
        kinds=("assessment.measurement",),
        summary="Samples of a class stand apart from the others as poisoned ones might",
        what=(
            "The model's scores for each class were looked at in two ways: whether they fall into a large "
            "and a small heap that lie far apart (activation clustering), and whether more of them stand "
            "far out along their main direction than chance explains (spectral signatures). One of the two "
            "did."
        ),
        why=(
            "Samples with a hidden mark, mixed into training data, teach a model a back door: whoever puts "
            "the mark on an input chooses the answer. Such samples often look alike to the model and unlike "
            "the rest of their class. But so do honest subgroups: clean models score like backdoored ones, "
            "which is why this is a hint and never blocks."
        ),
        fix=(
            "Look at the named samples. If they carry a common mark, or come from one source, leave them "
            "out and train again; if they are an honest subgroup, there is nothing to do. That nothing is "
            "named proves nothing either: what protects is knowing where data comes from, and digests of it "
            "in the policy."
        ),
        references=(
            "arXiv:1811.00636",
            "arXiv:1811.03728",
            "https://atlas.mitre.org/techniques/AML.T0020",
        ),
        cwe=(345, 506),
        atlas=("AML.T0020", "AML.T0019"),
        owasp=("ML02:2023", "LLM04:2025"),
        judge=_suspected,
        precision="low",
    ),
)
