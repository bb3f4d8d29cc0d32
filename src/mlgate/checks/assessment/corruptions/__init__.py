"""One module a corruption; see :class:`mlgate.checks.assessment.corruption.Corruption`."""
