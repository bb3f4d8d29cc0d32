"""Which of a model's outputs are its scores, and the one shape that they are brought to."""

from collections.abc import Sequence

from mlgate.checks.assessment.problems import Unassessable

# Where several outputs could be scores, one with such a name is.
NAMES = ("probabilities", "output_probability", "logits", "scores")


def chosen(fitting: Sequence[str], listed: str) -> str:
    """Return the name of the output that holds the scores.

    Args:
        fitting: Names of the outputs that could.
        listed: All outputs, for the message.

    Raises:
        Unassessable: None could, or several without a name that says which.
    """
    left = fitting if len(fitting) == 1 else [name for name in fitting if name in NAMES]
    if len(left) != 1:
        raise Unassessable(
            "model-output",
            f"the model's outputs ({listed}) do not say which one holds the scores; export one output of "
            f"scores per class, or name it {NAMES[0]}",
        )
    return left[0]


def check(shape: Sequence[int], samples: int) -> None:
    """Hold scores to one row a sample and one column a class; more axes must be of length 1.

    Raises:
        Unassessable: They have another shape.
    """
    size = 1
    for length in shape:
        size *= length
    if not shape or shape[0] != samples or not size or size != shape[0] * max(shape[1:], default=1):
        raise Unassessable(
            "model-output",
            f"the model answers {samples} samples with scores of shape {list(shape)}; "
            "one row a sample and one column a class is needed",
        )
