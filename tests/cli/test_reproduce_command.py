"""``avloc reproduce`` as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Shell

TINY = """
[synthesis]
n_train = 6
n_val = 2
n_test = 2
n_classes = 2
{more}
[features]
visual = "efficientnet-lite0"
audio = "logmel"
fps = 1

[training]
epochs = 1

[models.cman]
width = 8
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY.format(more=""))
    return path


@pytest.mark.slow
@pytest.mark.usefixtures("runs_in_this_process")
def test_from_a_recipe_to_tables_and_a_second_time_from_what_is_kept(
    avloc: Shell, recipe: Path, tmp_path: Path
) -> None:
    place = ("--artifacts", str(tmp_path / "a"), "--device", "cpu")
    asked = ("reproduce", "table1", "--on", str(recipe), "--seeds", "1", "--supervision", "full")
    ended = avloc(*asked, *place)
    assert ended.code == 0, ended.err
    for said in ("table1, supervision: full", "CMAN: where, when, which", "77.1%", "centre"):
        assert said in " ".join(ended.out.replace("│", " ").split())
    assert ended.err.splitlines()[-1].endswith("table1-full.h5")
    table = (tmp_path / "a" / "tiny" / "reproduce" / "table1-full.md").read_text()
    assert table.count("\n| ") == 16  # header, line, 11 rows, three baselines
    again = avloc(*asked, *place, "--set", "epochs=1")
    assert again.out == ended.out
    shown = avloc("inspect", str(tmp_path / "a" / "tiny" / "reproduce" / "table1-full.h5"))
    assert "segment_accuracy" in shown.out


def test_wrong_names_are_refused_in_a_line(avloc: Shell, tmp_path: Path) -> None:
    place = ("--artifacts", str(tmp_path))
    for asked, code, said in (
        (("table3",), 2, "table3"),
        (("table1",), 1, "features"),
        (("table1", "--on", "drwan"), 2, "Did you mean 'drawn'?"),
        (("table1", "--on", "photos"), 2, "--pictures DIR --sounds DIR"),
        (("table1", "--supervision", "strong"), 2, "strong"),
        (("table1", "--set", "cman.widht=3"), 2, "Did you mean 'width'?"),
        (("table1", "--set", "epochs"), 2, "KEY=VALUE"),
    ):
        ended = avloc("reproduce", *asked, *place)
        assert ended.code == code, ended.err
        assert said in ended.err
        assert "Traceback" not in ended.err
