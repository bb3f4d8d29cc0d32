import pytest
from tests.checks.models.building import EVIL, NOISE, Entry, called, format_of, judged, look, zipped

from mlgate.core.severity import Severity

PLAIN = zipped(Entry("archive/data.pkl", b"\x80\x02}."), Entry("archive/data/0", NOISE[:64]))
HOSTILE = zipped(Entry("archive/data.pkl", EVIL), Entry("archive/data/0", NOISE[:64]))


def grave(seen):
    return [each.rule for each in judged(seen) if each.severity >= Severity.HIGH]


@pytest.mark.parametrize("count", [2, 3, 40])
def test_archives_end_to_end_are_read_one_by_one(count):
    seen = look(PLAIN * count, "__0_0.distcp")
    assert (format_of(seen), judged(seen), seen.not_checked) == ("torch-distributed", (), ())


@pytest.mark.parametrize("place", range(3))
def test_each_of_them_is_looked_at(place):
    parts = [PLAIN] * 3
    parts[place] = HOSTILE
    assert called(look(b"".join(parts), "x.distcp")) == {"posix.system"}


def test_one_archive_is_an_archive():
    assert format_of(look(PLAIN, "x.distcp")) == "torch"


@pytest.mark.parametrize("data", [PLAIN + b"gap" + PLAIN, b"gap" + PLAIN * 2, PLAIN * 2 + b"gap"])
def test_a_gap_makes_it_an_archive_of_which_readers_differ(data):
    seen = look(data, "x.distcp")
    assert format_of(seen) != "torch-distributed"
    assert judged(seen)


def test_elsewhere_readers_differ_over_them():
    assert grave(look(PLAIN * 2, "x.pt"))


def test_a_cut_is_not_clean():
    data = PLAIN * 2
    for end in range(len(PLAIN) + 1, len(data), 7):
        seen = look(data[:end], "x.distcp")
        assert seen.not_checked or judged(seen)
