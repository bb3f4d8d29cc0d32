import pytest
from tests.rules.cases import verdicts


@pytest.mark.parametrize("how", ["absolute", "drive", "parent", "nul"])
def test_a_name_that_leaves_the_folder_is_critical(how):
    assert verdicts("archive.escape", how=how) == [("MLG-ARC-001", "critical")]


def test_a_link_that_leaves_the_folder_and_a_device_are_critical():
    assert verdicts("archive.link", how="hard link", target="/x") == [("MLG-ARC-002", "critical")]
    assert verdicts("archive.link", how="name through a link", target="x") == [("MLG-ARC-002", "critical")]
    assert verdicts("archive.device", device="pipe") == [("MLG-ARC-002", "critical")]


@pytest.mark.parametrize("how", ["ratio", "overlap"])
def test_a_bomb_is_high(how):
    assert verdicts("archive.bomb", how=how) == [("MLG-ARC-003", "high")]


def test_contradictions_are_high_and_a_wrong_checksum_alone_is_medium():
    assert verdicts("archive.disagreement", fields=["name"]) == [("MLG-ARC-004", "high")]
    assert verdicts("archive.checksum") == [("MLG-ARC-004", "medium")]


@pytest.mark.parametrize(
    ("identical", "container", "severity"),
    [(False, "zip", "high"), (False, "tar", "medium"), (True, "zip", "low"), (True, "tar", "low")],
)
def test_a_second_member_of_one_name(identical, container, severity):
    assert verdicts("archive.duplicate", identical=identical, container=container) == [
        ("MLG-ARC-005", severity)
    ]


@pytest.mark.parametrize(
    ("what", "archive", "native", "severity"),
    [
        ("ELF", "zip", False, "high"),
        ("PE", "torch", False, "high"),
        ("PE", "zip", True, "info"),
        ("script", "zip", False, "info"),
        ("data", "zip", False, "low"),
        ("data", "keras", False, "medium"),
    ],
)
def test_what_stands_before_an_archive(what, archive, native, severity):
    assert verdicts("archive.prefix", what, archive=archive, native=native) == [("MLG-ARC-007", severity)]
