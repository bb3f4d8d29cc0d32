"""Each corruption: seeded, stronger by severity, within the data's form, and what it says it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from mlgate.checks.assessment.corruption import SEVERITIES, Material
from mlgate.checks.assessment.corruptions import _geometry
from mlgate.core.discovery import module, names

CORRUPTIONS = "mlgate.checks.assessment.corruptions"
ALL = names(CORRUPTIONS)
SOME = settings(max_examples=60, deadline=None, database=None, derandomize=True)
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 1, (6, 16, 12, 3))
SMOOTH = np.tile(np.linspace(0, 1, 16)[None, :, None, None], (6, 1, 12, 3))
TABLE = np.stack([RNG.normal(50, 10, 80), RNG.uniform(0, 1, 80), RNG.integers(0, 4, 80)], axis=1)
TEXTS = np.array([["The quick brown fox jumps over the lazy dog, again and again."]] * 20, dtype=object)


def stuff(kind):
    if kind == "tabular":
        categorical = np.array([False, False, True])
        return Material(kind, TABLE, TABLE.min(0), TABLE.max(0), categorical)
    x = IMAGES if kind == "image" else TEXTS
    return Material(kind, x, np.zeros(1), np.ones(1), np.zeros(1, bool))


def corrupt(name, severity=3, kind=None, seed=0, material=None):
    found = module(CORRUPTIONS, name)
    material = material or stuff(kind or found.KINDS[0])
    return found.corrupt(material, severity, np.random.default_rng(seed))


def kinds():
    return [(name, kind) for name in ALL for kind in module(CORRUPTIONS, name).KINDS]


@pytest.mark.parametrize(("name", "kind"), kinds())
@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_form_stays_and_the_samples_are_not_touched(name, kind, severity):
    material = stuff(kind)
    before = material.x.copy()
    changed = corrupt(name, severity, kind, material=material)
    assert changed.shape == before.shape
    np.testing.assert_array_equal(material.x, before)


@pytest.mark.parametrize(("name", "kind"), kinds())
def test_a_seed_settles_it(name, kind):
    np.testing.assert_array_equal(corrupt(name, 4, kind, seed=3), corrupt(name, 4, kind, seed=3))


def distance(name, severity, kind):
    before, after = stuff(kind).x, corrupt(name, severity, kind)
    if kind == "text":
        return np.mean([abs(len(a) - len(b)) + sum(c != d for c, d in zip(a, b, strict=False))
                        for a, b in zip(before[:, 0], after[:, 0], strict=True)])  # fmt: skip
    if np.isnan(after).any():
        return np.isnan(after).mean()
    return np.abs(after - before).mean()


@pytest.mark.parametrize(("name", "kind"), kinds())
def test_the_last_severity_is_worse_than_the_first(name, kind):
    first, last = distance(name, 1, kind), distance(name, 5, kind)
    assert 0 <= first < last


@pytest.mark.parametrize("name", ALL)
def test_its_meaning_tells_five_severities(name):
    assert module(CORRUPTIONS, name).MEANING


def test_noise_has_the_deviation_that_it_says():
    grey = Material("image", np.full((4, 100, 100, 1), 0.5), np.zeros(1), np.ones(1), np.zeros(1, bool))
    assert corrupt("gaussian_noise", 3, material=grey).std() == pytest.approx(0.08, rel=0.03)
    assert corrupt("shot_noise", 3, material=grey).std() == pytest.approx(np.sqrt(0.5 / 100), rel=0.03)
    assert np.mean(corrupt("impulse_noise", 5, material=grey) != 0.5) == pytest.approx(0.07, rel=0.1)


def test_blur_keeps_the_mean_and_takes_the_detail():
    blurred = corrupt("gaussian_blur", 5)
    assert blurred.mean() == pytest.approx(IMAGES.mean(), abs=0.02)
    assert blurred.std() < IMAGES.std() / 2


def test_blur_is_scipys():
    expected = ndimage.gaussian_filter(IMAGES, (0, 1.0, 1.0, 0), mode="nearest", radius=(0, 4, 4, 0))
    np.testing.assert_allclose(corrupt("gaussian_blur", 5), expected, atol=1e-12)


def test_contrast_keeps_the_mean():
    changed = corrupt("contrast", 5)
    np.testing.assert_allclose(changed.mean((1, 2)), IMAGES.mean((1, 2)))
    np.testing.assert_allclose(changed.std((1, 2)), 0.15 * IMAGES.std((1, 2)))


def test_pixelation_shows_cells():
    assert len(np.unique(corrupt("pixelate", 5)[0, :, 0, 0])) == round(16 * 0.4)
    assert corrupt("pixelate", 5).mean() == pytest.approx(IMAGES.mean(), abs=0.02)


def test_compression_spares_what_is_smooth():
    smooth = Material("image", SMOOTH, np.zeros(1), np.ones(1), np.zeros(1, bool))
    assert np.abs(corrupt("jpeg", 5, material=smooth) - SMOOTH).max() < 0.06
    assert distance("jpeg", 5, "image") > 0.05


def test_half_a_turn_and_back():
    turn = np.tile(-np.eye(2), (6, 1, 1))
    np.testing.assert_allclose(_geometry.resampled(IMAGES, turn, np.zeros((6, 2))), IMAGES[:, ::-1, ::-1])


def test_whole_steps_move_pixels():
    moved = _geometry.resampled(IMAGES, np.tile(np.eye(2), (6, 1, 1)), np.tile([2.0, 0.0], (6, 1)))
    np.testing.assert_allclose(moved[:, :-2], IMAGES[:, 2:])
    np.testing.assert_allclose(moved[:, -2:], np.repeat(IMAGES[:, -1:], 2, axis=1))


@SOME
@given(st.integers(1, 9), st.integers(1, 9), st.floats(-7, 7), st.floats(-20, 20), st.floats(-20, 20))
def test_no_map_leaves_the_values_range(height, width, angle, down, right):
    x = np.random.default_rng(1).uniform(0, 1, (2, height, width, 1))
    turn = np.tile([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], (2, 1, 1))
    moved = _geometry.resampled(x, turn, np.tile([down, right], (2, 1)))
    assert x.min() - 1e-9 <= moved.min() <= moved.max() <= x.max() + 1e-9


@pytest.mark.parametrize("name", ["out_of_range", "unit_error"])
def test_one_number_of_each_sample_is_wrong_and_no_category(name):
    changed = corrupt(name, 5) != TABLE
    assert (changed.sum(1) == 1).all()
    assert not changed[:, 2].any()


def test_out_of_range_is_out_of_range():
    changed = corrupt("out_of_range", 1)
    outside = (changed < TABLE.min(0)) | (changed > TABLE.max(0))
    assert outside.any(1).all()


def test_an_unseen_category_was_never_seen():
    changed = corrupt("unseen_category", 4)
    rows = (changed != TABLE).any(1)
    assert rows.mean() == pytest.approx(0.4, abs=0.15)
    assert (changed[rows, 2] > 3).all()
    np.testing.assert_array_equal(changed[:, :2], TABLE[:, :2])


def test_types_lose_digits():
    one = Material("tabular", np.array([[1234.5678, -0.0123456]]), np.zeros(2), np.ones(2), np.zeros(2, bool))
    found = [corrupt("type_change", severity, material=one)[0] for severity in SEVERITIES]
    np.testing.assert_allclose(found[1:], [[1230, -0.0123], [1200, -0.012], [1000, -0.01], [1234, 0]])
    assert found[0][0] == np.float16(1234.5678)


def test_missing_values_are_missing_at_their_share():
    assert np.isnan(corrupt("missing", 5)).mean() == pytest.approx(0.4, abs=0.1)


def test_texts_change_as_they_say():
    assert corrupt("letter_case", 5)[0, 0] == TEXTS[0, 0].swapcase()
    assert "".join(corrupt("whitespace", 5)[0, 0].split()) == "".join(TEXTS[0, 0].split())
    disguised = corrupt("homoglyphs", 5)[0, 0]
    assert len(disguised) == len(TEXTS[0, 0])
    assert not disguised.isascii()
    assert corrupt("typos", 5)[0, 0] != TEXTS[0, 0]


@SOME
@given(st.text(max_size=60), st.sampled_from([name for name, kind in kinds() if kind == "text"]))
def test_no_text_is_too_strange(text, name):
    one = np.empty((1, 1), dtype=object)
    one[0, 0] = text
    material = Material("text", one, np.zeros(1), np.ones(1), np.zeros(1, bool))
    assert isinstance(corrupt(name, 5, material=material)[0, 0], str)


@SOME
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), min_size=2, max_size=40),
    st.sampled_from([name for name, kind in kinds() if kind == "tabular" and name != "unseen_category"]),
    st.sampled_from(SEVERITIES),
)
def test_no_table_is_too_strange(values, name, severity):
    x = np.array(values)[:, None]
    with np.errstate(all="ignore"):
        material = Material("tabular", x, np.zeros(1) - 1, np.ones(1), np.zeros(1, bool))
        assert corrupt(name, severity, material=material).shape == x.shape
