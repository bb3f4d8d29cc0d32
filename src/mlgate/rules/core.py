"""Rules about what a file is: not what its name says, more than one thing, or not what was agreed."""

from collections.abc import Iterator, Sequence

from msgspec import UnsetType

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity
from mlgate.policy.schema import Policy

_ATLAS = ("AML.T0011.000",)
_OWASP = ("ML06:2023", "LLM03:2025")


def _mismatch(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        suffix = fact.detail["name"].rpartition(".")[2]
        yield Hit(fact, f"This is {fact.subject} content under the extension .{suffix}.")


def _unaccounted(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        yield Hit(fact, f"There are {fact.subject} that the format does not account for.")


# Formats that end in an archive of what belongs to the model, by their specification; the last member of
# a tar may be an archive as well.
_HOSTS = frozenset({"tflite", "llamafile", "tar"})


def _polyglot(facts: Sequence[Fact], _policy: Policy) -> Iterator[Hit]:
    for fact in facts:
        severity = Severity.MEDIUM if fact.detail["appended"] else Severity.HIGH
        if fact.detail["appended"] and _HOSTS & set(fact.detail["formats"]):
            severity = Severity.INFO
        yield Hit(fact, f"This file can be read as {fact.subject}.", severity=severity)


def _unapproved(facts: Sequence[Fact], policy: Policy) -> Iterator[Hit]:
    allowed = policy.models.allow_formats
    if isinstance(allowed, UnsetType):
        return
    for fact in facts:
        if fact.subject not in allowed:
            names = ", ".join(allowed) or "none"
            yield Hit(
                fact, f"The policy does not allow the format {fact.subject}.", evidence=f"allowed: {names}"
            )


RULES = (
    Rule(
        id="MLG-COR-001",
        name="format-extension-mismatch",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("core.mismatch",),
        summary="A file's content is not what its extension promises",
        what=(
            "The content was read as one format, and the name promises another: a pickle named "
            "`.safetensors` or `.png`. What it holds was judged as what it is."
        ),
        why=(
            "Reviewers, allowlists and some scanners go by the name. A loader that goes by the content runs "
            "what nobody looked at."
        ),
        fix=(
            "Give the file the name of what it is, or convert it to what its name says; fetch it "
            "again if neither was meant."
        ),
        references=("CVE-2025-1889", "CVE-2025-10155"),
        cwe=(434, 646),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_mismatch,
    ),
    Rule(
        id="MLG-COR-003",
        name="unaccounted-bytes",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        kinds=("core.unaccounted",),
        summary="Bytes of a file belong to nothing that its format describes",
        what="Behind an archive, a compressed stream or an array there is more, and it is not padding.",
        why="Such bytes are invisible to ordinary tools, and a second loader may find them.",
        fix=(
            "Write the file again with the framework's own `save`. Look at the rest "
            "with\n\n```sh\ntail -c +OFFSET FILE | xxd | head\n```"
        ),
        references=("https://cwe.mitre.org/data/definitions/436.html",),
        cwe=(436,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_unaccounted,
        precision="medium",
    ),
    Rule(
        id="MLG-COR-004",
        name="polyglot-file",
        check=Check.MODELS,
        severity=Severity.HIGH,
        varies=True,
        kinds=("core.polyglot",),
        summary="A file is valid as two formats at once",
        what=(
            "Two readers read the same file to their satisfaction. All readings were judged. An archive at "
            "the end of something else is medium, since honest pickles hold archives; TensorFlow Lite models "
            "and llamafiles end in one."
        ),
        why="Which of the two is loaded depends on the loader: the one that was reviewed need not be it.",
        fix=(
            "Do not load it before you know why. Write the model again in one format, best "
            "safetensors or ONNX."
        ),
        references=("https://cwe.mitre.org/data/definitions/436.html",),
        cwe=(436,),
        atlas=_ATLAS,
        owasp=_OWASP,
        judge=_polyglot,
    ),
    Rule(
        id="MLG-COR-006",
        name="unapproved-format",
        check=Check.MODELS,
        severity=Severity.HIGH,
        kinds=("core.format",),
        summary="A model is in a format that the policy does not allow",
        what="`models.allow_formats` is given, and a model file has another format, by its content.",
        why="The policy's author decided which formats may reach the main branch: those that hold no code.",
        fix=(
            "Convert the model, for example\n\n```python\nfrom safetensors.torch import save_file\n"
            'save_file(model.state_dict(), "model.safetensors")\n```\n\n'
            "or add the format to `models.allow_formats` in the policy."
        ),
        references=("https://huggingface.co/docs/safetensors",),
        cwe=(502,),
        atlas=("AML.T0010.003",),
        owasp=_OWASP,
        judge=_unapproved,
        precision="very-high",
    ),
)
