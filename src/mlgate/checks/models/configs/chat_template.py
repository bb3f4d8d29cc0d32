"""Chat templates: Jinja that inference servers render, some of them without a sandbox.

Read from what other readers hand back under a name that ends in ``.jinja``, and from files
that are chat templates by name or content. A repository's templates of web pages, and all
others, are none of this reader's business.
"""

from collections.abc import Iterator

from mlgate.checks.models.configs._jinja import TooDeep, Unparsable, parse, tags
from mlgate.checks.models.configs._jinja_acts import Act, acts, suspicious
from mlgate.checks.models.configs._jinja_hidden import hidden
from mlgate.checks.models.configs._jinja_values import Values
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.text import read_text
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "chat-template"
KIND = "text"
ORDER = 70

# What these hold, and call a template, is one.
_METADATA = frozenset({"gguf", "safetensors", "huggingface-config"})
_EXTENSIONS = (".jinja", ".jinja2", ".j2")
# Words that only the template of a conversation has.
_WORDS = ("add_generation_prompt", "bos_token", "eos_token", "<|im_start|>", "[INST]", "<start_of_turn>")
# The longest in use has 30,000 characters.
_LONGEST = 256 << 10


def sniff(blob: Blob) -> bool:
    """Say whether the name is a template's."""
    return blob.size > 0 and (blob.name.endswith(_EXTENSIONS) or "chat_template" in blob.name)


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
    text = read_text(blob, limits)
    if not named and not ("messages" in text and any(word in text for word in _WORDS)):
        raise Declined
    try:
        parsed = parse(text)
    except Unparsable as error:
        name = suspicious(tags(text))
        if name is None:
            raise Declined from error
        yield _fact(blob, Act("internals", "unparsable", name, 1))
        return
    except TooDeep:
        yield blob.not_checked(
            "nesting", "the template is nested too deep to be parsed; write it flatter, or exclude it"
        )
        return
    values = Values(parsed.nodes, clock)
    seen: dict[Act, Act] = {}
    for act in acts(parsed, values):
        seen.setdefault(Act(act.kind, act.how, act.subject, 0), act)
    for act in seen.values():
        yield _fact(blob, act)
    for line, trigger in hidden(parsed.nodes):
        yield blob.fact("jinja.hidden", trigger, line=line, container=blob.container)
    yield from secret_facts(blob, text, line=1)


def _fact(blob: Blob, act: Act) -> Fact:
    return blob.fact(f"jinja.{act.kind}", act.subject, line=act.line, how=act.how, container=blob.container)


def _is_named(blob: Blob) -> bool:
    """Say whether the name alone makes it a chat template."""
    if blob.container in _METADATA and blob.name.endswith(_EXTENSIONS):
        return True
    if "chat_template" in blob.name and blob.name.endswith(_EXTENSIONS):
        return True
    path = blob.location.member or blob.location.path
    return blob.name.endswith(".jinja") and "additional_chat_templates" in path.split("/")[-2:-1]
