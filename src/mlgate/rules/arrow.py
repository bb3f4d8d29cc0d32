"""Rules about tables in Arrow's formats: column types whose reader runs Python."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity


def _extension(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.subject == "arrow.py_extension_type":
            message = "A column has a type that is unpickled when the file is opened."
            yield Hit(fact, message, severity=Severity.CRITICAL)
        else:
            what = "metadata" if fact.detail["pickled"] else "cells"
            message = f"A column has the type {fact.subject}, whose {what} Ray unpickles."
            yield Hit(fact, message, severity=Severity.MEDIUM)


RULES = (
    Rule(
        id="MLG-ARR-001",
        name="arrow-pickled-type",
        check=Check.MODELS,
        severity=Severity.CRITICAL,
        varies=True,
        kinds=("arrow.extension",),
        summary="A column type of an Arrow or Parquet file is unpickled when the file is opened",
        what=(
            "The schema names the extension type `arrow.py_extension_type`, whose metadata is a pickle, or "
            "one of Ray's types with pickled metadata or cells (medium: what the metadata's pickle does is "
            "judged by itself). Other extension types and pandas' metadata are no finding."
        ),
        why=(
            "Opening the file runs the pickle, before a single value is read: pyarrow before 14.0.1 for all "
            "files, and later where the type is registered again; Ray for its own types."
        ),
        fix=(
            "Do not open it. Write the table again with ordinary columns, or with a subclass of "
            "`pyarrow.ExtensionType`, which is not pickled, and use pyarrow 14.0.1 or later."
        ),
        references=("CVE-2023-47248", "GHSA-mw35-8rx3-xf9r"),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_extension,
    ),
)
