"""Rules about notebooks."""

from collections.abc import Iterator, Sequence
from typing import Any

from mlgate.core.facts import Check, Fact
from mlgate.core.rules import Hit, Rule
from mlgate.core.severity import Severity

_COMMANDS = {
    "download": (Severity.MEDIUM, "A cell pipes a download into a shell."),
    "saved": (Severity.INFO, "A cell runs a file that it downloads."),
    "hidden": (Severity.HIGH, "A cell decodes text and pipes it into a shell."),
    "spelled": (Severity.HIGH, "A cell keeps the letters of a command apart."),
    "changes": (Severity.HIGH, "A cell removes what it must not, or gives rights away."),
    "computed": (Severity.MEDIUM, "A cell pipes into a shell what is put together, or comes from elsewhere."),
    "decoded": (Severity.HIGH, "A cell runs code that it decodes."),
    "fetched": (Severity.MEDIUM, "A cell runs code that it downloads."),
    "unpickled": (Severity.MEDIUM, "A cell unpickles what it decodes."),
    "startup": (Severity.HIGH, "A cell writes to a file that is run at the next start."),
    "foreign": (Severity.MEDIUM, "A cell is a program in a language that is not looked at."),
    "alias": (Severity.MEDIUM, "A cell gives a shell's command another name."),
    "index": (Severity.HIGH, "A cell installs packages from an index without encryption."),
    "remote": (Severity.MEDIUM, "Cells open a connection and start programs."),
    "sends": (Severity.HIGH, "A cell sends the environment or a file with credentials away."),
    "connection": (Severity.HIGH, "A cell hands a shell to a network connection."),
}


def _notebook(facts: Sequence[Fact], _policy: Any) -> Iterator[Hit]:
    for fact in facts:
        if fact.kind == "notebook.command":
            severity, message = _COMMANDS[fact.subject]
            if fact.subject in ("download", "saved") and "http://" in fact.detail["text"]:
                severity = Severity.HIGH if fact.subject == "download" else Severity.MEDIUM
            yield Hit(fact, message, severity=severity, evidence=fact.detail["text"])
        elif fact.detail["kernel"]:
            yield Hit(fact, f"An output of type {fact.subject} holds a script that drives the kernel.")
        else:
            # Plotting libraries write such outputs.
            yield Hit(fact, f"An output of type {fact.subject} holds a script.", severity=Severity.INFO)


RULES = (
    Rule(
        id="MLG-NBK-001",
        name="notebook-runs-what-it-fetches",
        check=Check.MODELS,
        severity=Severity.MEDIUM,
        varies=True,
        kinds=("notebook.command", "notebook.output"),
        summary="A notebook pipes downloads into a shell, or has outputs that run when they are shown",
        what=(
            "Shell commands of code cells (`!`, `%%bash`, `os.system`) that pipe a download into a shell are "
            "medium (high without encryption), as are code that is downloaded, pickles in texts, programs "
            "beside a connection, other languages and indexes without encryption; decoded text that is run, "
            "by a shell or by Python, shells on network connections and files that are run at the next start "
            "are high. Scripts in stored "
            "outputs are mentioned, since plotting libraries write them, and medium where they drive the "
            "kernel."
        ),
        why=(
            "What such a cell runs is decided elsewhere and after the review; a trusted notebook runs the "
            "scripts of its outputs as soon as it is opened."
        ),
        fix=(
            "Download to a file, compare its checksum and run that; clear stored outputs before "
            "committing:\n\n```sh\njupyter nbconvert --clear-output --inplace NOTEBOOK.ipynb\n```"
        ),
        references=("https://jupyter-notebook.readthedocs.io/en/stable/security.html",),
        cwe=(494, 79),
        atlas=("AML.T0011.000",),
        owasp=("ML06:2023", "LLM03:2025"),
        judge=_notebook,
        precision="medium",
    ),
)
