"""What all rules about pickles share."""

from typing import Any

from mlgate.core.facts import Check
from mlgate.core.rules import Rule
from mlgate.core.severity import Severity

_REFERENCES = (
    "https://docs.python.org/3/library/pickle.html",
    "https://huggingface.co/docs/hub/security-pickle",
)
_ATLAS = ("AML.T0011.000", "AML.T0018.002")
_OWASP = ("ML06:2023", "LLM03:2025")
CONVERT = (
    "Do not load this file. Ask its author for the weights alone, as safetensors "
    "(`safetensors.torch.save_file(model.state_dict(), 'model.safetensors')`) or ONNX. Where you made the "
    "file yourself, find out who changed it since."
)


def rule(number: int, name: str, severity: Severity, kinds: tuple[str, ...], judge: Any, **rest: Any) -> Rule:
    """Make a rule of the pickle family; ``rest`` holds the other fields of :class:`Rule`."""
    rest.setdefault("fix", CONVERT)
    rest.setdefault("cwe", (502,))
    rest["references"] = (*rest.get("references", ()), *_REFERENCES)
    return Rule(
        id=f"MLG-PKL-{number:03d}",
        name=name,
        check=Check.MODELS,
        severity=severity,
        kinds=kinds,
        judge=judge,
        atlas=_ATLAS,
        owasp=_OWASP,
        **rest,
    )
