"""One module a data format; see :class:`mlgate.checks.assessment.table.Format`."""
