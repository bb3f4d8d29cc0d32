"""A chat template as a blob: whether it is one, and what it does."""

from collections.abc import Iterator

from mlgate.checks.models.configs._jinja import TooDeep, Unparsable, parse, tags
from mlgate.checks.models.configs._jinja_acts import Act, acts, suspicious
from mlgate.checks.models.configs._jinja_hidden import hidden
from mlgate.checks.models.configs._jinja_values import Values
from mlgate.checks.models.configs.chat_template import EXTENSIONS
from mlgate.checks.models.reader import Blob, Clock, Declined, LimitReached
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import read_at
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

# What these hold, and call a template, is one.
_METADATA = frozenset({"gguf", "safetensors", "huggingface-config", "model-yaml"})
# Words that only the template of a conversation has.
_WORDS = ("add_generation_prompt", "bos_token", "eos_token", "<|im_start|>", "[INST]", "<start_of_turn>")
# What leads out of an object into Python's modules, and stands in no page.
_GRAVE = frozenset(
    f"__{name}__"
    for name in (
        "globals",
        "subclasses",
        "builtins",
        "import",
        "mro",
        "base",
        "bases",
        "code",
        "getattribute",
    )
) | {"func_globals", "f_globals", "f_builtins", "gi_frame", "cr_frame"}
# The longest in use has 30,000 characters.
_LONGEST = 256 << 10


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield what the template does beyond filling in a conversation.

    Raises:
        Declined: It is no chat template, or no template at all.
        LimitReached: It is longer than ``limits.text_bytes``, or takes too long.
    """
    named = _is_named(blob)
    if blob.size > (_LONGEST if named else limits.text_bytes):
        if not named:
            raise Declined
        yield blob.not_checked(
            "limit",
            "the template is longer than 256 KiB, which no chat template is; shorten it, or exclude it",
        )
        return
    text = _text(blob, limits, named=named)
    chat = named or ("messages" in text and any(word in text for word in _WORDS))
    if not chat and "__" not in text:
        raise Declined
    try:
        parsed = parse(text)
    except Unparsable as error:
        name = suspicious(tags(text))
        if name is None or not (chat or name in _GRAVE):
            raise Declined from error
        yield _fact(blob, Act("internals", "unparsable", name, 1))
        return
    except TooDeep as error:
        if not chat:
            raise Declined from error
        yield blob.not_checked(
            "nesting", "the template is nested too deep to be parsed; write it flatter, or exclude it"
        )
        return
    values = Values(parsed.nodes, clock)
    seen: dict[tuple[str, str], Act] = {}
    for act in acts(parsed, values):
        through = act.how == "filter" and act.subject.startswith("__")
        if not (chat or through or act.subject in _GRAVE):
            continue
        before = seen.get((act.kind, act.subject))
        # How a name is used says more than that it stands there.
        if before is None or (before.how == "text" and act.how != "text"):
            seen[act.kind, act.subject] = act
    for act in seen.values():
        yield _fact(blob, act)
    if not chat:
        if not seen:
            raise Declined
        return
    for line, trigger in hidden(parsed.nodes):
        yield blob.fact("jinja.hidden", trigger, line=line, container=blob.container)
    yield from secret_facts(blob, text, line=1)


def _text(blob: Blob, limits: Limits, *, named: bool) -> str:
    """Return the text, with whatever control characters: Jinja minds none.

    Raises:
        Declined: It is no template, and no text either.
        LimitReached: It is longer than ``limits.text_bytes``.
    """
    if looks_like_text(blob) or not (named or b"{" in blob.head):
        return read_text(blob, limits)
    if blob.size > limits.text_bytes:
        raise LimitReached("text_bytes")
    return read_at(blob.stream, 0, blob.size).decode("utf-8", "replace")


def _fact(blob: Blob, act: Act) -> Fact:
    return blob.fact(f"jinja.{act.kind}", act.subject, line=act.line, how=act.how, container=blob.container)


def _is_named(blob: Blob) -> bool:
    """Say whether the name alone makes it a chat template."""
    if blob.container in _METADATA and blob.name.endswith(EXTENSIONS):
        return True
    if "chat_template" in blob.name and blob.name.endswith(EXTENSIONS):
        return True
    path = blob.location.member or blob.location.path
    return blob.name.endswith(".jinja") and "additional_chat_templates" in path.split("/")[-2:-1]
