"""Rules about files of JAX's libraries: checkpoints that hold pickles, programs that call back."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_MESSAGES = {
    "msgpack.pickled": ("The file holds an array of Python objects, which is a pickle.", Severity.HIGH),
    "msgpack.object": ("A tensor says that it consists of Python objects.", Severity.MEDIUM),
    "jax.callback": ("The program calls {}, which leads back into the Python process.", Severity.HIGH),
    "zarr.pickled": ("The chunks of an array are unpickled when they are read.", Severity.HIGH),
}


def _pickled(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        message, severity = _MESSAGES[fact.kind]
        yield Hit(fact, message.format(fact.subject), severity=severity)


RULES = (
    Rule(
        id="MLG-ORB-001",
        name="jax-file-runs-python",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=tuple(_MESSAGES),
        summary="A checkpoint of MessagePack or Zarr holds pickles, or a program calls back into Python",
        what=(
            "An array in a MessagePack file is of Python objects, which msgpack-numpy unpickles, or an array "
            "of a Zarr store (as Orbax writes them) has the codec `pickle`, or an exported program names one "
            "of XLA's callbacks into Python. Plain tensors, Flax checkpoints, spaCy's models and other "
            "custom calls are no finding."
        ),
        why=(
            "Reading the array runs what its pickle says, although the format is known as one without code. "
            "A callback is an address in the process that exported it, and any address in one that loads it."
        ),
        fix=(
            "Save numbers as numbers and texts with a codec for texts:\n\n```python\nzarr.create_array(..., "
            'dtype="float32")  # or dtype=str\nflax.serialization.msgpack_serialize(tree)\n```'
        ),
        references=("https://numcodecs.readthedocs.io/en/stable/other/pickles.html",),
        cwe=(502,),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_pickled,
    ),
)
