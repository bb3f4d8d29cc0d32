"""Model configurations in YAML: templates, and credentials, as in their JSON counterparts."""

import io
import re
from collections.abc import Iterator
from functools import cache

from mlgate.checks.models.configs import _huggingface_keys as keys
from mlgate.checks.models.configs import _yaml
from mlgate.checks.models.json_members import begins_json
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.secrets import secret_facts
from mlgate.checks.models.stream import member
from mlgate.core.facts import Fact, NotChecked
from mlgate.core.limits import Limits

FORMAT = "model-yaml"
KIND = "text"
ORDER = 71

_TEMPLATE = "chat_template"


def sniff(blob: Blob) -> bool:
    """Say whether the name is YAML's; JSON has a reader of its own."""
    return _yaml.named_yaml(blob) and not begins_json(blob.head)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact | NotChecked | Blob]:
    """Yield the templates of chats and of LangChain's prompts, and of a model's document the credentials.

    Raises:
        Declined: It has neither.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _telling().search, limits, clock)
    is_model = said = jinja = False
    prompts: list[_yaml.Node] = []
    try:
        for node in _yaml.nodes(text, clock):
            if node is None or node.value is None:
                continue
            is_model = is_model or node.path[:1] in _MODEL
            if any(isinstance(step, str) and _TEMPLATE in step for step in node.path) and "{" in node.value:
                said = True
                yield _template(blob, node)
            elif node.path[-1:] == ("template_format",):
                jinja = jinja or node.value == "jinja2"
            elif (
                node.path
                and node.path[-1] in keys.PROMPTS
                and "{" in node.value
                and len(prompts) <= limits.facts
            ):
                # The format may be said behind them.
                prompts.append(node)
    except ValueError:
        # Its loader cannot read it either.
        if not said:
            raise Declined from None
    if jinja:
        for node in prompts:
            clock.spend("facts", 1, limits.facts)
            said = True
            yield _template(blob, node)
    if is_model:
        for fact in secret_facts(blob, text, line=1):
            said = True
            yield fact
    if not said:
        raise Declined


def _template(blob: Blob, node: _yaml.Node) -> Blob:
    data = str(node.value).encode("utf-8", "replace")
    name = "/".join(str(step) for step in node.path)
    return member(blob, f"{name}/chat_template.jinja", io.BytesIO(data), len(data), container=FORMAT)


# The names of a path's first step, as they are compared.
_MODEL = frozenset((key,) for key in keys.MODEL | {"base_model", "model_name_or_path"})


@cache
def _telling() -> re.Pattern[str]:
    return re.compile(
        r"chat_template|jinja2|\\(?:x|u00|U000000)[2-7]|^[\"']?(?:"
        + "|".join(sorted(name for (name,) in _MODEL))
        + r")[\"']?\s*:",
        re.MULTILINE,
    )
