"""One module a metric; see :class:`mlgate.checks.assessment.metric.Metric`."""
