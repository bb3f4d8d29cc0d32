"""mlgate: the gate in front of a machine-learning team's main branch."""

__version__ = "0.1.0"
