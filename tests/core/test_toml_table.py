"""mlgate's tables are read as TOML is."""

import tomllib
from pathlib import Path

import pytest

import mlgate
from mlgate.core import toml_table

_TABLES = sorted(Path(mlgate.__file__).parent.rglob("data/**/*.toml"))


def test_every_table_is_found() -> None:
    assert {"pickle.toml", "callables.toml", "keras.toml"} <= {path.name for path in _TABLES}


@pytest.mark.parametrize("path", _TABLES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_a_table_is_what_tomllib_says(path: Path) -> None:
    assert toml_table.read(path) == tomllib.loads(path.read_text("utf-8"))
