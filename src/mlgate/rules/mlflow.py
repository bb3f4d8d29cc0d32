"""Rules about MLflow's MLmodel and BentoML's model.yaml."""

import posixpath
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables, _globals, _requirements

_OWN = {"MLflow": ("mlflow",), "BentoML": ("bentoml",)}


def _model(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    models = {_folder(fact) for fact in facts if fact.kind != "mlflow.requirement"}
    for fact in facts:
        if fact.kind == "mlflow.requirement":
            if fact.detail["form"] == "shell" and _folder(fact) in models:
                message = "MLflow has a shell run what follows on this requirement."
                yield Hit(fact, message, severity=Severity.HIGH, evidence=fact.subject)
                continue
            severity = _requirements.severity(fact.subject, fact.detail["form"])
            if severity is not None and "http://" not in fact.subject:
                # Teams have indexes of their own.
                severity = Severity.MEDIUM
            if severity is not None and _folder(fact) in models:
                yield Hit(
                    fact, f"MLflow installs packages for the model from {fact.subject}.", severity=severity
                )
        elif fact.subject in policy.models.allow_globals:
            continue
        elif fact.kind == "mlflow.loader":
            yield from _loader(fact)
        elif fact.kind == "mlflow.path" and fact.detail["escape"] is not None:
            yield Hit(
                fact,
                f"The model takes {fact.subject}, outside its folder.",
                evidence=f"{fact.detail['key']}: {fact.subject}",
            )
        elif fact.kind == "mlflow.trusted":
            danger = _globals.category(*_globals.split(fact.subject)) if "." in fact.subject else None
            if danger is not None:
                yield Hit(
                    fact,
                    f"The model has skops trust {fact.subject}, which {_callables.DOES[danger]}.",
                    severity=Severity.CRITICAL,
                )


def _folder(fact: Fact) -> str:
    member = fact.location.member
    return posixpath.dirname(fact.location.path if member is None else f"{fact.location.path}/{member}")


def _loader(fact: Fact) -> Iterator[Hit]:
    loader = fact.detail["loader"]
    root = fact.subject.partition(".")[0]
    if root in _OWN[loader]:
        return
    grave = root in sys.stdlib_module_names or _globals.category(root, "load") is not None
    yield Hit(
        fact,
        f"{loader} imports the module {fact.subject} to load the model, which is none of its own.",
        severity=Severity.HIGH if grave else Severity.MEDIUM,
    )


RULES = (
    Rule(
        id="MLG-MLF-001",
        name="model-description-leads-astray",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("mlflow.loader", "mlflow.path", "mlflow.trusted", "mlflow.requirement"),
        summary="An MLmodel names files outside its folder, or a loader that MLflow does not bring",
        what=(
            "Paths of `MLmodel` (`pickled_model`, `code`, `data`, artifacts) that are absolute or climb out "
            "with `..`; a `loader_module` that is none of MLflow's own, medium where it is the team's code; "
            "dangerous names among the types that skops is told to trust. Also the `module` of BentoML "
            "models, requirements of a `python_env.yaml` that go on as a command, and requirements beside "
            "an `MLmodel` that come from an index of their own or from an address (medium, and high without "
            "encryption)."
        ),
        why=(
            "`mlflow.pyfunc.load_model` imports the module and opens the files that are named, before "
            "anybody has seen the model: a pickle of another folder, or a module of the machine, is run."
        ),
        fix=(
            "Log the model again with `mlflow.<flavor>.log_model(...)`, so that all of its files lie in its "
            "folder. Where a loader of your own is meant, review it and name it in the policy "
            "(`models.allow_globals`)."
        ),
        references=(
            "CVE-2024-37052",
            "CVE-2024-37060",
            "CVE-2024-2912",
            "https://mlflow.org/docs/latest/ml/model/",
        ),
        cwe=(22, 502, 829),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_model,
        precision="high",
    ),
)
