"""One module a policy key of an assessment; see :class:`mlgate.checks.assessment.measure.Measure`."""
