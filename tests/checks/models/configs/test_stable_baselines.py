import base64
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.models.building import EVIL, Entry, called, judged, look, reasons, zipped


def settings_of(data=EVIL, **more):
    text = base64.b64encode(data).decode()
    return {"policy_class": {":type:": "<class 'abc.ABCMeta'>", ":serialized:": text}, "gamma": 0.99, **more}


def archive(value, name="data"):
    text = value if isinstance(value, str) else json.dumps(value)
    return zipped(Entry(name, text.encode()), Entry("_stable_baselines3_version", b"2.3.0"))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(settings_of()),
        json.dumps(settings_of(), indent=1),
        json.dumps(settings_of()).replace("serialized", "s\\u0065rialized"),
        json.dumps({"a": [{"b": settings_of()}]}),
        # The loader drops what is no base64.
        json.dumps(settings_of()).replace('":serialized:": "', '":serialized:": "!\\n'),
    ],
)
def test_what_is_unpickled_is_looked_at(text):
    assert called(look(archive(text), "ppo.zip")) == {"posix.system"}


def test_settings_that_hold_data_are_no_alarm():
    data = pickle.dumps({"learning_rate": 0.1}, 4)
    seen = look(archive(settings_of(data)), "ppo.zip")
    assert (judged(seen), seen.not_checked) == ((), ())


def test_a_payload_that_nothing_can_read_is_not_checked():
    assert reasons(look(archive(settings_of(b"\xff" * 40)), "ppo.zip")) == {"unreadable-format"}


@pytest.mark.parametrize("text", ['{"a": 1}', '{":serialized:": 1}', '{":serialized:": "a"}', "[1, 2]", "{"])
def test_other_settings_are_none_of_its_own(text):
    assert not look(archive(text), "ppo.zip").not_checked


def test_a_cut_never_hides_what_came_before():
    text = json.dumps(settings_of())
    for end in range(text.index("gamma"), len(text)):
        assert called(look(archive(text[:end]), "ppo.zip")) == {"posix.system"}


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.text(alphabet='{}[]":,serialzd\\u0065 gA==', max_size=60))
def test_any_text_is_read_without_a_failure(text):
    assert "reader-failed" not in reasons(look(archive('{":serialized:": "gASVAA==",' + text), "ppo.zip"))
