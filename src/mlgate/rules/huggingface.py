"""Rules about configurations that have the Hugging Face libraries load code, and from where."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mlgate.core import toml_table
from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.rules import _callables

_OWASP = ("ML06:2023", "LLM03:2025")
_ATLAS = ("AML.T0011.000", "AML.T0010.003")
_PIN = (
    "Read the code that it names, and load the model with a pinned `revision=` and `code_revision=`, in a "
    "sandbox the first time; or take a model whose class the library has itself."
)


@cache
def _names() -> Mapping[str, frozenset[str]]:
    data = toml_table.read(Path(__file__).parent / "data" / "huggingface.toml")
    return {key: frozenset(names) for key, names in data.items()}


def _auto_map(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        key = fact.detail["key"]
        if fact.detail["odd"]:
            yield Hit(
                fact, f"{key} names {fact.subject}, which leaves the model's folder.", severity=Severity.HIGH
            )
        elif fact.detail["remote"]:
            yield Hit(
                fact, f"{key} has code of another repository run: {fact.subject}.", severity=Severity.HIGH
            )
        else:
            yield Hit(
                fact, f"{key} has code of this repository run: {fact.subject}.", severity=Severity.MEDIUM
            )


def _trust(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        severity = None if fact.detail["model"] else Severity.MEDIUM
        yield Hit(fact, "trust_remote_code is stored as true in a configuration.", severity=severity)


def _class(facts: Sequence[Fact], policy: Any) -> Iterator[Hit]:
    for fact in facts:
        hit = _odd_class(fact)
        if hit is not None and fact.subject not in policy.models.allow_globals:
            yield hit


def _odd_class(fact: Fact) -> Hit | None:
    subject, key = fact.subject, fact.detail["key"]
    danger = _callables.danger(subject)
    root = subject.partition(".")[0]
    if danger in ("executes", "code", "resolves") and root not in _names()["libraries"]:
        return Hit(
            fact, f"{key} names {subject}, which {_callables.DOES[danger]}.", severity=Severity.CRITICAL
        )
    if fact.detail["remote"]:
        return Hit(fact, f"{key} has code of another repository run: {subject}.", severity=Severity.HIGH)
    if danger in ("executes", "code"):
        return Hit(
            fact, f"{key} names {subject}, which {_callables.DOES[danger]}.", severity=Severity.CRITICAL
        )
    if fact.detail["module"]:
        return Hit(fact, f"The pipeline is code of this repository: {subject}.", severity=Severity.MEDIUM)
    if root in _names()["libraries"] or root in _names()["pipelines"]:
        return None
    if key == "custom_pipeline":
        return Hit(fact, f"The pipeline is code beside the library: {subject}.", severity=Severity.MEDIUM)
    return Hit(fact, f"{key} has {subject} imported, of which nothing is known.", severity=Severity.MEDIUM)


def _evaluated(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(
            fact,
            f"{fact.detail['key']} holds something other than numbers, and converters evaluate it.",
            evidence=fact.subject,
        )


def _kernel(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        known = fact.subject.rpartition("|")[2].partition("/")[0] in _names()["kernels"]
        severity = Severity.MEDIUM if known else Severity.CRITICAL
        yield Hit(
            fact,
            f"{fact.detail['key']} has code fetched from {fact.subject} and run when the model is loaded.",
            severity=severity,
        )


def _path(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"{fact.detail['key']} names {fact.subject}, outside the model's folder.")


RULES = (
    Rule(
        id="MLG-HFR-001",
        name="auto-map-runs-code",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("huggingface.auto-map",),
        summary="A configuration has code from a repository run instead of the library's own",
        what=(
            "`auto_map` or `custom_pipelines` names a class of a Python file: in the same repository "
            "(medium), or in another one, as `owner/name--module.Class` (high). Any JSON file, any depth."
        ),
        why=(
            "With `trust_remote_code=True`, and in vulnerable versions without it, loading the model runs "
            "that file. Another repository can change at any time, whatever revision of this one is pinned."
        ),
        fix=_PIN,
        references=("https://huggingface.co/docs/transformers/custom_models", "CVE-2026-5241"),
        cwe=(829, 94),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_auto_map,
        precision="very-high",
    ),
    Rule(
        id="MLG-HFR-002",
        name="stored-trust-remote-code",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("huggingface.trust",),
        summary="A model's configuration says that its own code is to be trusted",
        what=(
            "`trust_remote_code` is stored as true in a JSON file of a model, a tokenizer or a pipeline, at "
            "any depth. In other JSON files it is medium."
        ),
        why=(
            "Whether code may run is for the one who loads a model to say. Loaders have taken the stored "
            "value over the caller's `trust_remote_code=False`, also for the parts of a model."
        ),
        fix=(
            "Remove the key from the file. Whoever needs the code passes `trust_remote_code=True` where the "
            "model is loaded, with a pinned `revision=`, after reading it."
        ),
        references=("CVE-2026-5241",),
        cwe=(829, 807),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_trust,
        precision="very-high",
    ),
    Rule(
        id="MLG-HFR-003",
        name="pipeline-class-from-elsewhere",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("huggingface.class",),
        summary="A pipeline is made of classes that the known libraries do not have",
        what=(
            "diffusers' `model_index.json` and `custom_pipeline`, sentence-transformers' `modules.json` and "
            "activation functions, or PEFT's `auto_mapping` name a class outside the libraries: code in this "
            "repository or an unknown package (medium), code of another repository (high), or something "
            "that runs commands (critical)."
        ),
        why="The module is imported, and the class called, when the model is loaded; old versions never ask.",
        fix=_PIN,
        references=(
            "https://huggingface.co/docs/diffusers/using-diffusers/custom_pipeline_overview",
            "https://github.com/huggingface/sentence-transformers/issues/3801",
        ),
        cwe=(829, 470),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_class,
    ),
    Rule(
        id="MLG-HFR-007",
        name="evaluated-configuration",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("huggingface.evaluated",),
        summary="A configuration holds code where its converter evaluates numbers",
        what=(
            "`conv_feature_layers` of a speech model is written as a sum of lists of numbers, such as "
            "`[(512, 10, 5)] + [(512, 3, 2)] * 4`. Here it holds something else, or another key that is a "
            "number's, such as `num_layers`, holds code."
        ),
        why="The scripts that convert such checkpoints pass the text to `eval`.",
        fix=(
            "Do not convert the checkpoint. Replace the value with the numbers of the model's architecture, "
            "as in its paper, or take the model that its author converted."
        ),
        references=("CVE-2025-14926", "CVE-2025-14927"),
        cwe=(95,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_evaluated,
        precision="very-high",
    ),
    Rule(
        id="MLG-HFR-008",
        name="kernels-from-a-repository",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("huggingface.kernel",),
        summary="A configuration has compute kernels fetched from a repository and run",
        what=(
            "`attn_implementation` or a key like it holds the name of a repository, where `eager`, `sdpa` or "
            "`flash_attention_2` belong. A repository of `kernels-community` is medium."
        ),
        why=(
            "transformers downloads the repository and imports it while it loads the model, without asking, "
            "whatever `trust_remote_code` says."
        ),
        fix=(
            "Remove the key, and update transformers to 5.3.0 or newer. Whoever wants the kernels passes "
            "`attn_implementation=` where the model is loaded."
        ),
        references=("CVE-2026-4372", "GHSA-29pf-2h5f-8g72"),
        cwe=(829, 494),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_kernel,
        precision="very-high",
    ),
    Rule(
        id="MLG-HFR-009",
        name="config-path-escapes",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("huggingface.path",),
        summary="A configuration names a file outside the model's folder",
        what=(
            "A shard in a `weight_map`, a module's `path` or the name of a chat template is absolute or "
            "climbs out with `..`. Paths that only record where a model came from are not looked at."
        ),
        why="Loading reads, and saving the model again overwrites, a file elsewhere on the machine.",
        fix="Put the files into the model's folder, and save it again with `save_pretrained(...)`.",
        references=("CVE-2026-9856",),
        cwe=(22,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_path,
        precision="very-high",
    ),
)
