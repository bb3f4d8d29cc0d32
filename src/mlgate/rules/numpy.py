"""Rules about NumPy's array files."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_OWASP = ("ML06:2023", "LLM03:2025")


def _objects(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, "This array holds Python objects: its content is a pickle.")


def _header(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"The header of this array is not one that NumPy writes ({fact.subject}).")


RULES = (
    Rule(
        id="MLG-NPY-001",
        name="object-array",
        check=Check.MODELS,
        severity=Severity.LOW,
        kinds=("numpy.object",),
        summary="An array file holds a pickle",
        what=(
            "The array's dtype has objects in it, so that its data is a pickle. That pickle was "
            "judged by itself."
        ),
        why=(
            "`numpy.load` refuses such a file unless it is told `allow_pickle=True`, and code that says so "
            "runs whatever the next version of the file holds."
        ),
        fix=(
            'Save numbers and text in a plain dtype:\n\n```python\nnp.save("data.npy", '
            'array.astype("U"))\n```'
        ),
        references=("CVE-2019-6446",),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_objects,
        precision="very-high",
    ),
    Rule(
        id="MLG-NPY-002",
        name="malformed-array-header",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("numpy.header",),
        summary="An array's header is malformed or its size overflows",
        what=(
            "The header is no dictionary of dtype, order and shape, or the shape asks for more "
            "than 2^63 bytes."
        ),
        why="Readers that compute with such numbers allocate, or read, what is not theirs.",
        fix="Do not use the file. Save the array again with `numpy.save`; it writes a fitting header.",
        references=("https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",),
        cwe=(190, 20),
        atlas=("AML.T0011.000",),
        owasp=_OWASP,
        judge=_header,
    ),
)
