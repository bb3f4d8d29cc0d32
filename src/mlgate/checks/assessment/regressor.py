"""A sandboxed model as a regressor: its scores are the predicted values."""

from typing import TYPE_CHECKING

from mlgate.checks.assessment.predictor import Predictor

if TYPE_CHECKING:
    from mlgate.checks.assessment.model import Floats


class Regressor(Predictor):
    """A model whose answers are values.

    Attributes:
        meaning: ``values``.
    """

    meaning = "values"

    @property
    def clean(self) -> "Floats":
        """Its answers on the clean data: [n, k]."""
        return self.raw

    def predict(self, x: "Floats") -> "Floats":
        """Return its answers: [n, k].

        Raises:
            Unassessable: The model fails.
        """
        return self.answer(x)
