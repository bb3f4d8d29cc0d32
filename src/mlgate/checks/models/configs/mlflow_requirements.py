"""Requirements beside a model of MLflow's, which it installs before it loads the model."""

from collections.abc import Iterator

from mlgate.checks.models.configs._requirement_lines import channels, commands, sources
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "mlflow-requirements"
KIND = "aside"
ORDER = 80

_NAMES = frozenset(("requirements.txt", "conda.yaml", "conda.yml", "python_env.yaml"))


def sniff(blob: Blob) -> bool:
    """Go by the names that MLflow writes. Whether it is a model's is for the rules to say."""
    return blob.name in _NAMES and looks_like_text(blob)


def read(blob: Blob, limits: Limits, clock: Clock) -> Iterator[Fact]:
    """Yield where packages are to come from, if that is not the usual index.

    Raises:
        Declined: It says nothing of that.
        LimitReached: It says too much.
    """
    text = read_text(blob, limits)
    conda = list(channels(text)) if blob.name.startswith("conda") else []
    lines = {line for _, _, line in conda}
    found = conda + [each for each in sources(text) if each[2] not in lines]
    if blob.name == "python_env.yaml":
        found += commands(text)
    if not found:
        raise Declined
    for form, where, line in found:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact("mlflow.requirement", where, line=line, form=form)
