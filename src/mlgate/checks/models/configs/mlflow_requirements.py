"""Requirements beside a model of MLflow's, which it installs before it loads the model."""

from collections.abc import Iterator

from mlgate.checks.models.configs._requirement_lines import channels, goes_on, sources
from mlgate.checks.models.configs._scalars import scalars
from mlgate.checks.models.reader import Blob, Clock, Declined
from mlgate.checks.models.stream import printable
from mlgate.checks.models.text import looks_like_text, read_text
from mlgate.core.facts import Fact
from mlgate.core.limits import Limits

FORMAT = "mlflow-requirements"
KIND = "aside"
ORDER = 80

# Of an environment, what MLflow puts into a command line.
_COMMAND_LINE = frozenset(("python", "build_dependencies", "dependencies"))
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
        found += _commands(blob, text, clock)
    if not found:
        raise Declined
    for form, where, line in found:
        clock.spend("facts", 1, limits.facts)
        yield blob.fact("mlflow.requirement", where, line=line, form=form)


def _commands(blob: Blob, text: str, clock: Clock) -> Iterator[tuple[str, str, int]]:
    """Yield the requirements that go on as a command."""
    try:
        for scalar in scalars(blob, text, clock):
            if _COMMAND_LINE.intersection(scalar.path[1:2]) and goes_on(scalar.value.strip()):
                yield "shell", printable(scalar.value.strip(), 200), scalar.line
    except ValueError:
        return  # MLflow cannot read it either; what came before stands
