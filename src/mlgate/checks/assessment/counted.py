"""A model under attack, whose passes are counted: what an attack says of itself is not believed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlgate.checks.assessment.attack import Objective
    from mlgate.checks.assessment.classifier import Classifier
    from mlgate.checks.assessment.model import Floats
    from mlgate.checks.assessment.trees import Trees


class Counted:
    """A model whose passes are counted.

    Args:
        model: To ask.

    Attributes:
        forward: Samples scored.
        backward: Samples whose gradient was computed.
    """

    def __init__(self, model: "Classifier") -> None:
        self._model = model
        self.forward = self.backward = 0

    @property
    def trees(self) -> "Trees | None":
        """See :class:`mlgate.checks.assessment.attack.Victim`."""
        return self._model.trees

    def on_time(self) -> None:
        """See :class:`mlgate.checks.assessment.attack.Victim`."""
        self._model.on_time()

    def predict(self, x: "Floats") -> "Floats":
        """See :class:`mlgate.checks.assessment.attack.Victim`."""
        self.forward += len(x)
        return self._model.predict(x)

    def gradient(self, x: "Floats", objective: "Objective") -> "tuple[Floats, Floats, Floats]":
        """See :class:`mlgate.checks.assessment.attack.Victim`."""
        self.forward += len(x)
        self.backward += len(x)
        return self._model.gradient(x, objective)
