"""Rules about commands in the scripts, builds and pipelines that come with a model."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_WHAT = {
    "download": (Severity.MEDIUM, "A download is piped into a shell."),
    "saved": (Severity.MEDIUM, "A file that was downloaded is run."),
    "hidden": (Severity.HIGH, "Decoded text is piped into a shell."),
    "sends": (Severity.HIGH, "The environment or a file with credentials is sent away."),
    "connection": (Severity.HIGH, "A shell is handed to a network connection."),
    "spelled": (Severity.HIGH, "The letters of a command that fetches or runs are kept apart."),
    "changes": (
        Severity.HIGH,
        "The machine is changed as no model needs it: files removed, rights given away.",
    ),
    "computed": (Severity.MEDIUM, "What is piped into a shell is put together, or comes from elsewhere."),
    "disguised": (Severity.HIGH, "This is a script under the name of weights."),
    "inline": (Severity.MEDIUM, "Python on the command line starts a program."),
    "encoded": (Severity.HIGH, "Python on the command line hides or fetches what it runs."),
    "parameter": (Severity.HIGH, "A parameter's default is a command of a shell."),
    "pipe": (Severity.HIGH, "An address pipes more than data: it starts a second command, or writes a file."),
    "startup": (Severity.HIGH, "R runs this when it starts in the folder."),
    "hides": (Severity.HIGH, "R code hides or fetches what it runs."),
    "given": (Severity.HIGH, "Fetching the dataset runs this command."),
    "java": (Severity.HIGH, "The source of a model does more than compute."),
    "sql": (Severity.HIGH, "The database starts a program, loads a library or writes a file."),
}


def _commands(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        severity, message = _WHAT[fact.subject]
        text, role = fact.detail["text"], fact.detail["role"]
        download = fact.subject in ("download", "saved")
        if download and "http://" in text:
            # Whoever is on the way decides what is run.
            severity = Severity.HIGH
        elif download and role == "script":
            # Installers are fetched so in every second Dockerfile.
            severity = Severity.INFO
        elif download and role == "source":
            continue  # as manuals and messages say it
        yield Hit(fact, message, severity=severity, evidence=text)


RULES = (
    Rule(
        id="MLG-CMD-001",
        name="command-runs-what-it-fetches",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("config.command",),
        summary="A script or a pipeline pipes downloads or decoded text into a shell, or connects one",
        what=(
            "Commands of shell scripts, Makefiles, Dockerfiles and of pipelines in YAML, TOML or JSON (DVC, "
            "MLflow, Cog, Kubeflow, tasks of editors), of R's startup files and of SQL. Decoded text that is "
            "piped into a shell or evaluated, commands whose letters are kept apart, a shell on a network "
            "connection, credentials that are sent away, a home that is removed, a login that is opened, "
            "Python on a command line that hides what it runs, what `.Rprofile` starts or fetches, and SQL "
            "that leaves the database are high; a download that a shell or an interpreter runs, through "
            "whatever stages or by the name of its file, is high without encryption, also in source; "
            "otherwise medium in a pipeline, and only mentioned where installers are usually fetched so. "
            "What a shell runs and nobody can tell is medium. A script under the name of weights is high."
        ),
        why=(
            "Reproducing a model, building its image or opening its folder runs these commands, and what "
            "they run is decided elsewhere and after the review."
        ),
        fix="Download to a file, compare its checksum and run that; write commands out in full.",
        references=(
            "https://dvc.org/doc/user-guide/project-structure/dvcyaml-files",
            "https://mlflow.org/docs/latest/ml/projects/",
        ),
        cwe=(494, 506),
        atlas=("AML.T0011.000", "AML.T0010.001"),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_commands,
        precision="medium",
    ),
)
