"""The rule about credentials that travel with a model."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _credential(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        where = f", under {fact.detail['where']}" if fact.detail.get("where") else ""
        yield Hit(fact, f"A credential lies here in the open: {fact.subject}{where}.")


RULES = (
    Rule(
        id="MLG-SEC-001",
        name="credential-in-metadata",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("secret.credential",),
        summary="A credential travels with a model, a configuration or a notebook",
        what=(
            "A text in a model's metadata, a configuration or a notebook has the shape of an access key, an "
            "API token, a private key or an address with a password, and looks as random as real ones do. "
            "Placeholders and the examples of manuals are passed over; tensors are not searched."
        ),
        why=(
            "Everyone who can fetch the model or the repository can use it, and removing it from the newest "
            "version does not remove it from the history."
        ),
        fix=(
            "Revoke the credential at once, then remove it and write the file again: "
            "clear a notebook's outputs with `jupyter nbconvert --clear-output --inplace`, and read "
            "credentials from the environment instead."
        ),
        references=("https://cwe.mitre.org/data/definitions/798.html",),
        cwe=(798, 522),
        atlas=("AML.T0055",),
        owasp=("LLM02:2025",),
        judge=_credential,
    ),
)
