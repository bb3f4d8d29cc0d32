"""One module a data format; see :class:`mlgate.checks.assessment.data.Format`."""
