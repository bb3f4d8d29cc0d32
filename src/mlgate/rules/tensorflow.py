"""Rules about TensorFlow graphs: what they do besides computing."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from mlgate.core import toml_table
from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_OWASP = ("ML06:2023", "LLM03:2025")
_TRAINING = "meta-graph"
_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def _reaches_out(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        category = _categories().get(fact.subject)
        if category is None:
            continue
        severity = _severity(category, fact)
        if severity is not None:
            where = f" in the function {fact.detail['scope']}" if fact.detail["scope"] else ""
            texts = ", ".join(repr(text) for text in fact.detail["texts"])
            yield Hit(
                fact,
                f"The operator {fact.subject}{where} {category['does']}.",
                severity=severity,
                evidence=f"{fact.subject}({texts})" if texts else None,
            )


def _severity(category: Mapping[str, Any], fact: Fact) -> Severity | None:
    texts = fact.detail["texts"]
    harmless = tuple(category.get("harmless", ()))
    if harmless and texts and all(text.startswith(harmless) for text in texts):
        return None
    if category.get("url") and not any("://" in text for text in texts):
        return None
    training = fact.detail["graph"] == _TRAINING
    words = [category.get("training" if training else "severity")]
    if fact.detail["escape"] is not None:
        words.append(category.get("escapes"))
        words.append(None if training else category.get("served_escapes"))
    if fact.detail["constant"] and not training:
        words.append(category.get("constant"))
    grades = [Severity(word) for word in words if word is not None]
    return max(grades) if grades else None


def _foreign(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject in _PYTHON:
            # Training graphs call Python for their input; nobody serves those.
            training = fact.detail["graph"] == _TRAINING
            yield Hit(
                fact,
                f"The operator {fact.subject} calls a Python function of the process that runs the graph.",
                severity=Severity.MEDIUM if training else Severity.HIGH,
            )
        elif fact.subject not in _categories():
            own = fact.detail["known"]
            origin = "runs compiled code" if own else "comes with no version of TensorFlow"
            yield Hit(fact, f"The operator {fact.subject} {origin}.", severity=Severity.INFO)


def _asset(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The model takes the file {fact.subject} as one of its assets.")


def _checkpoint(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The latest checkpoint is said to be {fact.subject}.")


@cache
def _categories() -> Mapping[str, Mapping[str, Any]]:
    data = toml_table.read(Path(__file__).parent / "data" / "tensorflow.toml")
    return {name: category for category in data.values() for name in category["ops"]}


RULES = (
    Rule(
        id="MLG-TFS-001",
        name="tensorflow-host-operation",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("tensorflow.op",),
        summary="A TensorFlow graph reads or writes files, or talks to other machines",
        what=(
            "A node of the graph, or of any function in it, is an operator that reaches files, addresses or "
            "the process: `WriteFile`, `ReadFile`, debug and RPC operators, datasets of files. A path that "
            "the model itself fixes is high; one that its user gives is medium. In a checkpoint's graph, "
            "where input pipelines are ordinary, reading is low or info. What saves, restores and fills "
            "tables in every SavedModel is no finding."
        ),
        why=(
            "A graph is a program, and these run when the model is called: it can overwrite a start-up "
            "file, or answer with the content of a key."
        ),
        fix=(
            "Export the part that computes, without reading and writing:\n\n```python\n"
            'tf.saved_model.save(model, "clean", signatures=model.call.get_concrete_function(x))\n```\n\n'
            "or convert it with `python -m tf2onnx.convert`. Look first at what it does with\n\n"
            "```sh\nsaved_model_cli show --dir DIR --all\n```"
        ),
        references=("https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md",),
        cwe=(73, 22, 918),
        atlas=("AML.T0011.000", "AML.T0018.002"),
        owasp=_OWASP,
        judge=_reaches_out,
    ),
    Rule(
        id="MLG-TFS-002",
        name="tensorflow-foreign-operator",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("tensorflow.op",),
        summary="A TensorFlow graph calls Python, or an operator that is not TensorFlow's own",
        what=(
            "A node is `PyFunc`, `PyFuncStateless` or `EagerPyFunc` (high; medium in a checkpoint's graph), "
            "or an operator that no version of TensorFlow has, or one that runs compiled code (info)."
        ),
        why=(
            "Such a node runs Python of the process by its number, whichever function that is there, or "
            "needs a library of native code. Neither can be judged from the file."
        ),
        fix=(
            "Replace `tf.py_function` with TensorFlow's operators before you export the model with "
            "`tf.saved_model.save`; for a custom operator, pin and review the library that provides it."
        ),
        references=("https://www.tensorflow.org/api_docs/python/tf/py_function",),
        cwe=(829, 94),
        atlas=("AML.T0011.000", "AML.T0018.002"),
        owasp=_OWASP,
        judge=_foreign,
    ),
    Rule(
        id="MLG-TFS-004",
        name="tensorflow-asset-escapes",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("tensorflow.asset",),
        summary="A SavedModel takes a file from outside its folder as an asset",
        what="The `filename` of an asset is absolute or climbs out with `..`; others lie in `assets/`.",
        why="Whoever loads the model reads that file of the machine, and its content can end up in answers.",
        fix=(
            "Put the file beside the model and export it again: `tf.saved_model.save` copies what "
            "`tf.saved_model.Asset` names into `assets/`."
        ),
        references=("https://www.tensorflow.org/api_docs/python/tf/saved_model/Asset",),
        cwe=(22,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_asset,
        precision="very-high",
    ),
    Rule(
        id="MLG-TFS-005",
        name="tensorflow-checkpoint-elsewhere",
        check=Check.MODELS,
        severity=Severity.INFO,
        kinds=("tensorflow.checkpoint",),
        summary="The text `checkpoint` names a checkpoint outside its folder",
        what="`model_checkpoint_path` is absolute or climbs out: often the path on the machine that trained.",
        why=(
            "`tf.train.latest_checkpoint` goes there. On another machine it finds nothing, or the "
            "checkpoint of somebody else."
        ),
        fix='Write the bare name of the checkpoint beside it: `model_checkpoint_path: "model.ckpt-1000"`.',
        references=("https://www.tensorflow.org/api_docs/python/tf/train/latest_checkpoint",),
        cwe=(22,),
        atlas=("AML.T0010.003",),
        owasp=_OWASP,
        judge=_checkpoint,
        precision="medium",
    ),
)
