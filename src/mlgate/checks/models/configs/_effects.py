"""What calling a function of Python does beyond computing, by its dotted name: ``data/effects.csv``."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def acts() -> Mapping[str, str]:
    """Return what calling a function does, by its dotted name, where it does more than compute."""
    file = Path(__file__).parent.parent / "data" / "effects.csv"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return dict(line.split(",") for line in lines[1:])


def act_of(name: str, table: Mapping[str, str]) -> str | None:
    """Return what calling a dotted name does, by the table of acts."""
    found = table.get(name)
    while found is None and "." in name:
        name = name.rpartition(".")[0]
        found = table.get(f"{name}.*")
    return found
