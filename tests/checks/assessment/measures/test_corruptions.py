"""Corruptions: what decides, what is only drawn, and what does not fit the data."""

import re

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace
from tests.checks.assessment.measures.small import one_hot, subject

from mlgate.checks.assessment.data import Dataset
from mlgate.checks.assessment.measures.corruptions import measure
from mlgate.checks.assessment.problems import Unassessable
from mlgate.policy.assessment import Column, Corruption, Corruptions

RNG = np.random.default_rng(0)
# Images that are bright above or below the middle; the model compares the halves.
LABELS = np.arange(300) % 2
IMAGES = np.full((300, 8, 8), 0.5) + 0.02 * RNG.normal(size=(300, 8, 8))
IMAGES[LABELS == 0, :4] += 0.02
IMAGES[LABELS == 1, 4:] += 0.02
IMAGES = np.clip(IMAGES, 0, 1).astype(np.float32)


def halves(x):
    x = x.reshape(len(x), 8, 8)
    return np.stack([x[:, :4].mean((1, 2)) * 9 - 1, x[:, 4:].mean((1, 2)) * 9 - 1], axis=1)


def asked(function=halves, x=IMAGES, labels=LABELS, data=None, **more):
    made = subject(function, x, labels, **more)
    data = {"range": (0.0, 1.0)} if data is None else data
    return replace(made, entry=replace(made.entry, data=replace(made.entry.data, **data)))


def measured(wanted=None, **corruptions):
    return list(measure(wanted or asked(), Corruptions(**corruptions)))


def test_the_severity_asked_for_decides_and_the_others_are_drawn():
    figures = measured(gaussian_noise=Corruption(severity=5, min=0.99))
    deciding, *drawn = (figure.measurement for figure in figures)
    assert (deciding.name, deciding.part, deciding.outcome) == ("accuracy", "gaussian_noise/5", "fail")
    assert (deciding.threshold, deciding.bound, deciding.family) == (0.99, "min", "corruptions")
    assert deciding.low < deciding.value < deciding.high
    assert [(one.part, one.outcome) for one in drawn] == [
        (f"gaussian_noise/{severity}", "info") for severity in (1, 2, 3, 4)
    ]
    assert drawn[0].value > deciding.value
    assert figures[0].key == "corruptions.gaussian_noise.min"


def test_the_drop_is_paired_with_the_clean_answers():
    figures = measured(gaussian_noise=Corruption(severity=4, max_drop=0.01))
    known, lost = (figure.measurement for figure in figures[:2])
    assert (known.name, known.threshold, known.outcome) == ("accuracy", None, "info")
    assert (lost.name, lost.part, lost.outcome, lost.bound) == (
        "accuracy_drop", "gaussian_noise/4", "fail", "max",
    )  # fmt: skip
    assert lost.value == pytest.approx(lost.detail["before"] - known.value)
    assert lost.low <= lost.value <= lost.high
    assert lost.detail["interval"].startswith("paired")
    assert figures[1].key == "corruptions.gaussian_noise.max_drop"


def test_a_corruption_that_does_not_matter_passes():
    figures = measured(brightness=Corruption(severity=5, max_drop=0.02, min=0.9))
    assert [figure.measurement.outcome for figure in figures[:2]] == ["pass", "pass"]


def test_a_second_run_gives_the_same():
    first, second = (measured(shot_noise=Corruption(max_drop=0.1)) for _ in range(2))
    assert first == second


def test_another_seed_draws_another_noise():
    first, second = (
        measured(asked(seed=seed), gaussian_noise=Corruption(severity=5, min=0.1)) for seed in (1, 2)
    )
    assert first[0].measurement.value != second[0].measurement.value


@pytest.mark.parametrize(
    ("name", "made", "words"),
    [
        ("missing", {}, "there is brightness"),
        ("typos", {}, "done to text data"),
        ("rotate", {"x": IMAGES.reshape(300, -1)}, r"image: \[28, 28\]"),
    ],
)
def test_a_corruption_that_does_not_fit_is_said_and_the_others_go_on(name, made, words):
    figures = measured(asked(**made), **{name: Corruption(min=0.5), "gaussian_noise": Corruption(min=0.1)})
    gaps = [figure for figure in figures if figure.gap]
    assert [figure.gap[0] for figure in gaps] == ["wrong-corruption"]
    assert re.search(words, gaps[0].gap[1])
    assert any(figure.measurement.outcome == "pass" for figure in figures)


def test_flat_rows_are_images_where_the_policy_says_so():
    flat = asked(x=IMAGES.reshape(300, -1), data={"range": (0.0, 1.0), "image": (8, 8)})
    stacked = measured(rotate=Corruption(severity=2, min=0.2))[0].measurement
    assert measured(flat, rotate=Corruption(severity=2, min=0.2))[0].measurement.value == stacked.value


@pytest.mark.parametrize("shape", [(1, 8, 8), (8, 8, 1)])
def test_channels_may_stand_before_or_behind(shape):
    made = asked(x=IMAGES.reshape(300, *shape))
    expected = measured(translate=Corruption(min=0.2))[0].measurement.value
    assert measured(made, translate=Corruption(min=0.2))[0].measurement.value == expected


@pytest.mark.parametrize(
    ("image", "x"), [((7, 8), IMAGES.reshape(300, -1)), ((8, 8), IMAGES.reshape(300, 8, 8, 1, 1))]
)
def test_what_is_no_image_is_said(image, x):
    with pytest.raises(Unassessable, match="wrong|image|values") as caught:
        measured(asked(x=x, data={"image": image}), rotate=Corruption(min=0.2))
    assert caught.value.reason == "wrong-shape"


def test_without_a_range_the_datas_own_holds_and_is_said():
    figure = measured(asked(data={}), gaussian_noise=Corruption(min=0.1))[0]
    assert figure.measurement.detail["range_from_the_data"] is True


def test_a_regression_is_held_to_its_error():
    x = RNG.normal(size=(100, 2))
    made = asked(lambda rows: rows[:, :1] * 3, x, x[:, 0] * 3 + 0.01, data={}, task="regression")
    figures = measured(made, unit_error=Corruption(severity=5, max_drop=0.5))
    assert [figure.measurement.name for figure in figures[:2]] == ["rmse", "rmse_increase"]
    assert figures[1].measurement.outcome == "fail"
    figures = measured(made, unit_error=Corruption(min=0.5))
    assert figures[0].gap[0] == "wrong-bound"


def test_a_model_that_cannot_do_without_values_is_a_clear_gap_and_comes_last():
    def refuses(x):
        if np.isnan(x).any():
            raise Unassessable("model-output", "the model's scores are not finite numbers")
        return one_hot((x[:, 0] > 0) * 1, 2)

    x = RNG.normal(size=(100, 2))
    made = asked(refuses, x, (x[:, 0] > 0) * 1, data={})
    figures = measured(made, missing=Corruption(min=0.5), out_of_range=Corruption(min=0.1))
    assert figures[-1].gap == (
        "model-output",
        "accuracy of missing/3: the model's scores are not finite numbers",
    )
    assert figures[0].measurement.part == "out_of_range/3"


def test_a_worker_that_dies_ends_it():
    def dies(x):
        if np.isnan(x).any():
            raise Unassessable("worker-died", "gone")
        return one_hot((x[:, 0] > 0) * 1, 2)

    x = RNG.normal(size=(100, 2))
    with pytest.raises(Unassessable, match="gone"):
        measured(asked(dies, x, (x[:, 0] > 0) * 1, data={}), missing=Corruption(min=0.5))


def test_categories_are_the_policys():
    x = np.stack([RNG.integers(0, 3, 200), RNG.integers(0, 9, 200)], axis=1).astype(float)

    def known(rows):
        return one_hot(np.where(rows[:, 0] > 2, 1, 0), 2)

    data = {"columns": (Column("0", categorical=True),)}
    labels = np.zeros(200, int)
    figures = measured(asked(known, x, labels, data=data), unseen_category=Corruption(severity=4, min=0.9))
    assert 0.5 < figures[0].measurement.value < 0.7
    figures = measured(asked(known, x, labels, data={}), unseen_category=Corruption(min=0.9))
    assert figures[0].gap[0] == "no-category"


def test_texts_are_corrupted_as_texts():
    texts = np.array([["buy cheap pills now"], ["see you at the office"]] * 50, dtype=object)

    def spam(x):
        return one_hot([int("pills" not in text) for text in x[:, 0]], 2)

    made = asked(spam, texts, np.array([0, 1] * 50), data={})
    figures = measured(made, homoglyphs=Corruption(severity=5, min=0.9), whitespace=Corruption(min=0.1))
    assert figures[0].measurement.outcome == "fail"
    assert figures[0].measurement.detail["kind"] == "text"


def test_names_of_columns_reach_the_corruption():
    x = RNG.normal(size=(100, 2))
    made = asked(
        lambda rows: one_hot((rows[:, 0] > 0) * 1, 2), x, (x[:, 0] > 0) * 1, data={"columns": (Column("b"),)}
    )
    named = replace(made, dataset=Dataset(x, made.labels, np.arange(100), "d.csv", names=("a", "b")))
    assert measured(named, out_of_range=Corruption(min=0.1))[0].measurement.value is not None
    with pytest.raises(Unassessable, match="'b', which is no feature"):
        measured(made, out_of_range=Corruption(min=0.1))


def test_unset_is_not_a_threshold():
    assert Corruption(min=0.5).max_drop is UNSET


def test_images_of_one_colour_have_no_range_of_their_own():
    with pytest.raises(Unassessable, match="every value is 0.5"):
        measured(asked(x=np.full((300, 8, 8), 0.5), data={}), contrast=Corruption(min=0.1))


def test_a_range_of_a_column_is_what_lies_beyond():
    x = RNG.normal(size=(100, 2))
    seen = []

    def kept(rows):
        seen.append(np.abs(rows).max())
        return one_hot((rows[:, 0] > 0) * 1, 2)

    data = {"columns": (Column("0", range=(-1000.0, 1000.0)), Column("1", range=(-1000.0, 1000.0)))}
    measured(asked(kept, x, (x[:, 0] > 0) * 1, data=data), out_of_range=Corruption(severity=1, min=0.1))
    assert seen[1] == pytest.approx(1200.0)


def test_a_table_of_categories_has_no_number_to_corrupt():
    x = RNG.integers(0, 3, (100, 1)).astype(float)
    data = {"columns": (Column("0", categorical=True),)}
    made = asked(lambda rows: one_hot([0] * len(rows), 2), x, np.arange(100) % 2, data=data)
    assert measured(made, unit_error=Corruption(min=0.1))[0].gap[0] == "no-number"
