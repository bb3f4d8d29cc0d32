"""One module an attack; see :class:`mlgate.checks.assessment.attack.Attack`."""
