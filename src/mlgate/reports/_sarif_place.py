"""SARIF locations: every result has one, because GitHub rejects the file where one lacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlgate.reports._text import printable

if TYPE_CHECKING:
    from mlgate.core.facts import Location
    from mlgate.core.report import Report

ROOT = "%SRCROOT%"
_DEFAULT_POLICY = ".mlgate.yaml"
_INT32 = 2**31 - 1


class Places:
    """Turn locations of one report into SARIF locations."""

    def __init__(self, report: Report) -> None:
        self._fallback = report.policy.path or _DEFAULT_POLICY
        self._sizes = {record.path: record.size for record in report.inventory}

    def is_binary(self, location: Location) -> bool:
        """Say whether the location lies in a file that has no lines worth showing."""
        if location.line is not None:
            return False
        return location.member is not None or location.offset is not None or location.path in self._sizes

    def sarif(self, location: Location) -> Any:
        """Return the SARIF location; without a path it is the policy file's."""
        import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

        logical = None
        if location.member is not None:
            member = printable(location.member)
            logical = [om.LogicalLocation(fully_qualified_name=member, kind="member")]
        return om.Location(
            physical_location=om.PhysicalLocation(
                artifact_location=om.ArtifactLocation(
                    uri=uri(location.path or self._fallback), uri_base_id=ROOT
                ),
                region=self._region(location),
            ),
            logical_locations=logical,
        )

    def _region(self, location: Location) -> Any:
        import sarif_om as om  # noqa: PLC0415 - heavy; only this format needs it

        if not self.is_binary(location):
            return om.Region(start_line=max(location.line or 1, 1))
        # GitHub wants a line, others want bytes. An offset inside a member says nothing
        # about the file's own bytes: there the region is the whole file.
        # Readers keep both in 32 bits, and one of them drops the whole file over a larger one.
        start, length = 0, self._sizes.get(location.path)
        if location.member is None and location.offset is not None:
            start, length = max(location.offset, 0), 1
        if start > _INT32:
            return om.Region(start_line=1)
        return om.Region(
            start_line=1,
            byte_offset=start,
            byte_length=length if length is not None and length <= _INT32 else None,
        )


def uri(path: str) -> str:
    """Return a relative, percent-encoded URI reference for a path of the target.

    Bytes that are no UTF-8 (surrogate escapes) come back as the bytes they were, and other
    lone surrogates as their own encoding, so that no path is refused or mistaken.
    """
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = path.encode("utf-8", "surrogatepass")
    return quote(data, safe="/").lstrip("/") or "."
