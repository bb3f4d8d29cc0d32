"""One module a fairness metric; see :class:`mlgate.checks.assessment.metric.FairnessMetric`."""
