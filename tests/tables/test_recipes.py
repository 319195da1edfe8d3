"""Recipes say what they change, and a wrong one is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.errors import DatasetError, UnknownNameError, UsageError
from avloc.models import list_models, model_class
from avloc.options import options_from
from avloc.stages.train import settings_of
from avloc.tables.recipes import (
    changed,
    read_recipe,
    recipe_path,
    table_rows,
)

FOLDER = Path(__file__).parents[2] / "pipelines"
PIPELINES = sorted(FOLDER.rglob("*.toml"))
# the paper's numbers, typed from its tables once more: (supervised, weakly supervised)
TABLES = {
    "table1": {
        "audio": (59.5, 56.5),
        "visual": (55.3, 53.7),
        "both": (71.4, 69.0),
        "where": (72.8, 70.9),
        "when": (72.4, 71.2),
        "which": (73.2, 72.1),
        "where-when": (73.5, 71.8),
        "when-which": (74.8, 73.4),
        "where-which": (75.6, 73.9),
        "cman": (77.1, 75.7),
    },
    "table2": {
        "avel": (74.7, 73.1),
        "avsdn": (75.4, 74.2),
        "cam": (72.3, 68.8),
        "no-context": (75.7, 74.3),
        "no-sentinel": (76.1, 74.9),
        "cman": (77.1, 75.7),
    },
}


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_every_recipe_reads_and_builds(path: Path) -> None:
    recipe = read_recipe(path)
    if path.parent == FOLDER:
        assert recipe_path(path.stem) == path
    assert len({row.name for row in recipe.rows}) == len(recipe.rows) > 0
    for row in recipe.rows:
        assert row.model in list_models()
        sizes = {"visual_channels": 4, "audio_channels": 4, "n_classes": 3}
        options_from(model_class(row.model).Config, {**sizes, **row.options})


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_papers_rows_and_numbers_in_its_order(table: str) -> None:
    *rows, projection = table_rows(table)
    assert (projection.name, dict(projection.paper)) == ("cman-projection", {})
    assert projection.options["similarity"] == "projection"
    assert read_recipe(FOLDER / "base.toml").models["cman"]["similarity"] == "cosine"
    assert [row.name for row in rows] == list(TABLES[table])
    assert [(row.paper["full"], row.paper["weak"]) for row in rows] == list(TABLES[table].values())


def test_the_rows_of_table_1_have_what_their_marks_say() -> None:
    """A, V, where, when, which, as the table marks them with crosses."""
    marks = ["A", "V", "AV", "AV where", "AV when", "AV which", "AV where when"]
    marks += ["AV when which", "AV where which", "AV where when which"]
    for row, mark in zip(table_rows("table1")[:-1], marks, strict=True):
        sizes = {"visual_channels": 4, "audio_channels": 4, "n_classes": 3}
        config = options_from(model_class("cman").Config, {**sizes, **row.options})
        senses = {"audio": "A", "visual": "V", "both": "AV"}[config.modalities]
        modules = [name for name in ("where", "when", "which") if getattr(config, name)]
        assert " ".join([senses, *modules]) == mark


def test_an_unknown_table_and_wrong_settings_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="table3"):
        table_rows("table3")
    base = read_recipe(FOLDER / "drawn.toml")
    recipe = changed(base, ["epochs=3", "cman.dropout=0", "avel.width=9"])
    assert (recipe.training.epochs, base.training.epochs) == (3, 25)
    assert recipe.models["cman"] == base.models["cman"] | {"dropout": "0"}
    assert recipe.models["avel"] == {"attention_width": 128, "width": "9"}
    for setting, said in (("width=3", "width"), ("cman.epochs=3", "epochs"), ("x.width=3", "x")):
        with pytest.raises(UnknownNameError, match=said):
            changed(base, [setting])
    with pytest.raises(UsageError, match="KEY=VALUE"):
        changed(base, ["epochs"])


def test_recipe_changes_only_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        '[features]\nvisual = "resnet18"\nfps = 8\n[training]\nepochs = 7\nseed = 3\n'
        '[[rows]]\nname = "a"\ntitle = "A"\n'
    )
    (tmp_path / "more.toml").write_text('extends = "base.toml"\n[features]\nfps = 2\n')
    base, more = read_recipe(tmp_path / "base.toml"), read_recipe(tmp_path / "more.toml")
    assert more.features == {"visual": "resnet18", "fps": 2}
    assert (more.training, more.rows) == (base.training, base.rows)
    assert (base.training.epochs, base.training.seed) == (7, 3)


def test_tables_within_tables_are_merged_too(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("[models.cman]\nwidth = 128\n[models.cam]\nwidth = 4\n")
    (tmp_path / "more.toml").write_text(
        'extends = "base.toml"\n[models.cman]\nresidual = false\n[models.avel]\nwidth = 2\n'
    )
    (tmp_path / "most.toml").write_text('extends = "more.toml"\n[models.cman]\nwidth = 64\n')
    assert read_recipe(tmp_path / "most.toml").models == {
        "cman": {"width": 64, "residual": False},
        "cam": {"width": 4},
        "avel": {"width": 2},
    }


def test_a_recipe_that_extends_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')
    with pytest.raises(DatasetError, match="extends itself"):
        read_recipe(tmp_path / "a.toml")


ROW = '[[rows]]\nname = "a"\ntitle = "A"\n'


@pytest.mark.parametrize(
    "text",
    [f"{ROW}[training]\nepochs = 3\n", f"{ROW}[models.cman]\nwidth = 3\n", f"fps = 1\n{ROW}"],
)
def test_what_has_no_effect_in_a_row_of_a_table_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.toml").write_text(ROW)
    monkeypatch.setattr("avloc.tables.recipes.recipe_folder", lambda: tmp_path)
    assert [row.name for row in table_rows("mine")] == ["a"]
    (tmp_path / "mine" / "2.toml").write_text(text)
    with pytest.raises(DatasetError, match="no effect") as caught:
        table_rows("mine")
    assert "2.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[trainng]\n", UnknownNameError, "trainng"),
        ("[training]\nepoch = 3\n", UnknownNameError, "epoch"),
        ('[training]\nepochs = "many"\n', UsageError, "epochs"),
        ("[synthesis]\nn_classes = 1\n", UsageError, "n_classes"),
        ('[[rows]]\nname = "a"\ntitle = "A"\nmodle = "cman"\n', UnknownNameError, "modle"),
        ("not toml", DatasetError, "recipe"),
        ("training = 3\n", DatasetError, "training is 3"),
        ("[models]\ncman = 3\n", DatasetError, "models.cman is 3"),
        ("[models.cmam]\nwidth = 3\n", UnknownNameError, "cmam"),
        ("[models.cman]\nwidht = 3\n", UnknownNameError, "widht"),
        ("[features]\nfsp = 3\n", UnknownNameError, "fsp"),
        ("rows = [3]\n", DatasetError, "rows is 3"),
        ('[[rows]]\nname = "a"\n', DatasetError, "without a name or a title"),
        (f"{ROW}options = {{ widht = 3 }}\n", UnknownNameError, "widht"),
        (f'{ROW}model = "cmam"\n', UnknownNameError, "cmam"),
    ],
)
def test_wrong_recipe_is_refused(
    tmp_path: Path, text: str, error: type[Exception], said: str
) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(error, match=said):
        read_recipe(tmp_path / "r.toml")


def test_missing_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"r\.toml"):
        read_recipe(tmp_path / "r.toml")
    with pytest.raises(UnknownNameError, match="dmo"):
        recipe_path("dmo")


def test_settings_go_where_they_belong() -> None:
    config, options = settings_of("cman", {"learning_rate": "0.01", "width": "32", "epochs": 3})
    assert (config.learning_rate, config.epochs, options) == (0.01, 3, {"width": "32"})
