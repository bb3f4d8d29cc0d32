"""Rules about the data that a model is measured on: wrong labels, and drift."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules._measured import evidence, failed

_MOST_SHOWN = 10
_NAMES = {"psi": "population stability index", "ks": "Kolmogorov-Smirnov statistic"}


def _mislabelled(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "labels"):
        detail = fact.detail
        message = f"More labels of {detail['data']} are likely wrong than the policy allows."
        lines = [
            evidence(detail),
            *(
                f"sample {one['sample']}: label {one['label']}, to which the model gives "
                f"{one['probability_of_label']:.3f}"
                for one in detail["worst"][:_MOST_SHOWN]
            ),
        ]
        yield Hit(fact, message, evidence="\n".join(lines))


def _drifted(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in failed(facts, "drift"):
        detail = fact.detail
        message = (
            f"The data {detail['data']} lies further from the reference {detail['reference']} than the "
            f"policy allows: {_NAMES[detail['name']]}."
        )
        lines = [
            evidence(detail),
            (
                f"worst feature: {detail['worst_feature']}; without drift it would rarely be above "
                f"{detail['without_drift']:.3f}"
            ),
            *(
                f"{name}: {found[detail['name']]:.3f}"
                for name, found in list(detail["features"].items())[:_MOST_SHOWN]
            ),
        ]
        yield Hit(fact, message, evidence="\n".join(lines))


RULES = (
    Rule(
        id="MLG-ASM-009",
        name="too-many-label-errors",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="More labels of the evaluation data are likely wrong than the policy allows",
        what=(
            "Confident learning (cleanlab) compared the labels with the model's probabilities on samples "
            "that it did not learn from. The share of labels that are likely wrong lies above "
            "`labels.max_share`. The evidence names the samples, the likeliest errors first."
        ),
        why=(
            "Every figure of an assessment is only as good as the labels behind it. A few wrong ones in a "
            "hundred can turn round which of two models is the better one; and labels that somebody turned "
            "on purpose are an attack."
        ),
        fix=(
            "Look at the named samples, from the top; correct the labels or drop the samples. A weak model "
            "finds errors where there are none: if the samples are right, it is the model that is wrong "
            "about them, and the bound can be raised."
        ),
        references=("arXiv:1911.00068", "arXiv:2103.14749", "https://atlas.mitre.org/techniques/AML.T0020"),
        cwe=(345,),
        atlas=("AML.T0020",),
        owasp=("ML02:2023",),
        judge=_mislabelled,
        security=False,
        precision="medium",
    ),
    Rule(
        id="MLG-ASM-010",
        name="drifted-data",
        check=Check.ASSESSMENT,
        severity=Severity.HIGH,
        kinds=("assessment.measurement",),
        summary="The evaluation data is unlike the reference data, more than the policy allows",
        what=(
            "Each feature of the evaluation data was compared with the reference data, usually the training "
            "data: by the population stability index (PSI), or by the Kolmogorov-Smirnov statistic (KS). "
            "The worst feature lies above its bound. Beside it stands what the figure would be without any "
            "drift."
        ),
        why=(
            "A model is good on data like that it learned from. Where the data has moved on, yesterday's "
            "figures say little; and where only the evaluation data differs, they say little about use."
        ),
        fix=(
            "Find out what happened to the named feature: another unit, another source, a new default, or a "
            "world that changed. Train again on data like today's, or mend the pipeline. A PSI below 0.1 is "
            "usually read as no change, and one above 0.25 as a large one:\n\n"
            "```yaml\ndrift: {reference: {path: data/train.csv}, psi: {max: 0.25}}\n```"
        ),
        references=("arXiv:1810.11953",),
        cwe=(440,),
        judge=_drifted,
        security=False,
        precision="medium",
    ),
)
