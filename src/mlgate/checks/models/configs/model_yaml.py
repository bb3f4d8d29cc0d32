"""Model configurations in YAML: chat templates, and credentials, as in their JSON counterparts."""

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
    """Yield the chat templates, and where the document is a model's, the credentials.

    Raises:
        Declined: It has neither.
        LimitReached: The text is too long, or nested too deep.
    """
    text = _yaml.text_with(blob, _telling(), limits, clock)
    is_model = said = False
    try:
        for node in _yaml.nodes(text, clock):
            if node is None or node.value is None:
                continue
            is_model = is_model or node.path[:1] in _MODEL
            if any(isinstance(step, str) and _TEMPLATE in step for step in node.path) and "{" in node.value:
                data = node.value.encode("utf-8", "replace")
                name = "/".join(str(step) for step in node.path)
                said = True
                yield member(
                    blob, f"{name}/chat_template.jinja", io.BytesIO(data), len(data), container=FORMAT
                )
    except ValueError:
        # Its loader cannot read it either.
        if not said:
            raise Declined from None
    if is_model:
        for fact in secret_facts(blob, text, line=1):
            said = True
            yield fact
    if not said:
        raise Declined


# The names of a path's first step, as they are compared.
_MODEL = frozenset((key,) for key in keys.MODEL | {"base_model", "model_name_or_path"})


@cache
def _telling() -> re.Pattern[str]:
    return re.compile(
        r"chat_template|\\(?:x|u00|U000000)[2-7]|^[\"']?(?:"
        + "|".join(sorted(name for (name,) in _MODEL))
        + r")[\"']?\s*:",
        re.MULTILINE,
    )
