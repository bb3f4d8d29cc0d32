"""Auditors, one module each: they say which advisories apply to a pinned version."""
