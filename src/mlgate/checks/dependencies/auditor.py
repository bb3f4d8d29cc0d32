"""The protocol of an auditor, and what it answers.

An auditor is a module of ``mlgate.checks.dependencies.auditors`` with the members of
:class:`Auditor`. It must account for every pin that it is asked about: with the
advisories that apply, or with the reason why it cannot tell. A pin without an answer
counts as not checked, never as clean.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from mlgate.checks import Scope
from mlgate.core.facts import NotChecked, Source
from mlgate.core.severity import Severity


class Pin(Struct, frozen=True, order=True):
    """One package in one version, to be audited once however often it is required.

    Attributes:
        name: Normalised name (PEP 503).
        version: As the manifest writes it.
    """

    name: str
    version: str

    def __str__(self) -> str:
        """Render as ``name==version``."""
        return f"{self.name}=={self.version}"


class Advisory(Struct, frozen=True, kw_only=True):
    """One vulnerability of one pin, under all its ids.

    Attributes:
        id: PYSEC where there is one, else GHSA, else CVE, else what there is.
        aliases: The other ids, sorted.
        cvss: Highest base score among its records, or None.
        severity: Of the record or by the score; None where nothing says.
        fixed: The smallest later version that it does not affect, or None.
        malicious: True where it is about a malicious release, not a flaw.
    """

    id: str
    aliases: tuple[str, ...] = ()
    cvss: float | None = None
    severity: Severity | None = None
    fixed: str | None = None
    malicious: bool = False


class Answer(Struct, frozen=True, kw_only=True):
    """What an auditor knows of one pin.

    Attributes:
        advisories: Those that apply. None of them and no ``unknown``: clean.
        upgrade: The smallest later version that no known advisory affects, or None.
        unknown: Reason slug, where something about the pin cannot be told.
        message: What cannot be told and what to do, where ``unknown`` is set.
    """

    advisories: tuple[Advisory, ...] = ()
    upgrade: str | None = None
    unknown: str | None = None
    message: str = ""


class Audit(Struct, frozen=True):
    """The outcome of one auditor's run.

    Attributes:
        answers: By pin.
        not_checked: What concerns the run as a whole: no database, a failed service.
        sources: What the answers rest on.
    """

    answers: Mapping[Pin, Answer] = {}
    not_checked: tuple[NotChecked, ...] = ()
    sources: tuple[Source, ...] = ()


class Auditor(Protocol):
    """What a module of ``auditors`` provides.

    Attributes:
        NAME: Its name in ``dependencies.auditors``.
    """

    NAME: str

    def audit(self, pins: Sequence[Pin], scope: Scope) -> Audit:
        """Audit each pin. What goes wrong is part of the answer, never an exception."""
        ...
