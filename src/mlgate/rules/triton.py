"""Rules about the configurations of Triton's models."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _path(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        key, evidence = fact.detail["key"], f"{fact.detail['key']}: {fact.subject}"
        if fact.detail["escape"] is not None:
            # A server has environments of its own in places of its own.
            mild = key == "EXECUTION_ENV_PATH" and fact.detail["escape"] == "absolute"
            severity = Severity.MEDIUM if mild else Severity.HIGH
            message = f"Triton takes {fact.subject}, outside the model's folder."
            yield Hit(fact, message, severity=severity, evidence=evidence)
        elif key == "op_library_filename":
            message = f"Triton loads {fact.subject}, which is native code."
            yield Hit(fact, message, severity=Severity.MEDIUM, evidence=evidence)
        else:
            message = f"Triton unpacks {fact.subject} and starts the Python that is in it."
            yield Hit(fact, message, severity=Severity.INFO, evidence=evidence)


RULES = (
    Rule(
        id="MLG-TRI-001",
        name="triton-configuration-leads-astray",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("triton.path",),
        summary="A configuration of Triton names files outside its model's folder, or an environment",
        what=(
            "`default_model_filename`, `cc_model_filenames`, `backend`, `runtime` and libraries of operators "
            "of a `config.pbtxt` that are absolute or climb out with `..`, and an `EXECUTION_ENV_PATH` that "
            "climbs out; one at an absolute path and other libraries of operators are medium, and an "
            "environment beside the model is mentioned."
        ),
        why=(
            "The server opens that file of the machine as the model, loads that library, or starts that "
            "interpreter, as soon as the model is put into its repository."
        ),
        fix=(
            "Put the file into the version's folder and name it without a path; build the environment on the "
            "server, from pinned requirements."
        ),
        references=(
            "https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto",
            "https://github.com/triton-inference-server/python_backend#creating-custom-execution-environments",
        ),
        cwe=(22, 829),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_path,
        precision="high",
    ),
)
