"""One module a model format; see :class:`mlgate.checks.assessment.model.Loader`."""
