"""How features neighbour each other."""

import numpy as np
import pytest

from mlgate.checks.assessment.attacks._layout import Layout
from mlgate.checks.assessment.attacks._random import Stream


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 5, 4), Layout(1, 5, 4)),
        ((3, 5, 4), Layout(3, 5, 4)),
        ((5, 4, 3), Layout(3, 5, 4, last=True)),
        ((5, 4, 1), Layout(1, 5, 4, last=True)),
        ((5, 1, 1), Layout(1, 1, 5)),
        ((5, 4), Layout(1, 5, 4)),
        ((12,), Layout(1, 1, 12)),
        ((1, 1, 12), Layout(1, 1, 12)),
        ((2, 2, 2, 2), Layout(1, 1, 16)),
    ],
)
def test_what_is_an_image(shape, layout):
    assert Layout.of(shape) == layout


@pytest.mark.parametrize("shape", [(3, 5, 4), (5, 4, 3), (5, 4, 1), (5, 4), (7,)])
def test_there_and_back(shape):
    values = np.arange(2 * np.prod(shape)).reshape(2, *shape)
    layout = Layout.of(shape)
    np.testing.assert_array_equal(layout.flat(layout.grid(values)).reshape(values.shape), values)


def test_channels_go_first():
    values = np.arange(60).reshape(1, 5, 4, 3)
    assert (Layout.of((5, 4, 3)).grid(values)[0, 2] == values[0, :, :, 2]).all()


@pytest.mark.parametrize("shape", [(1, 5, 4), (5, 4, 3)])
def test_a_square_lands_everywhere(shape):
    words = Stream(0, np.arange(2000)).bits(np.arange(2000), 0, 2)
    inside = Layout.of(shape).squares(words, 2)
    assert (inside.sum(axis=(1, 2)) == 4).all()
    corners = {tuple(np.argwhere(each)[0]) for each in inside}
    assert corners == {(row, column) for row in range(4) for column in range(3)}
