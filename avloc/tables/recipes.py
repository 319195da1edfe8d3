"""Recipes: ``pipelines/*.toml``, read and checked; one ``extends`` another by what it changes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from inspect import signature
from pathlib import Path
from typing import Any

from avloc.datasets import Dataset, SynthesisConfig, synthesize
from avloc.errors import AvlocError, DatasetError, UnknownNameError, UsageError
from avloc.models import model_class
from avloc.options import Settings, options_from, values_of
from avloc.progress import Progress
from avloc.stages.extract import extract
from avloc.stages.workspace import DEFAULT_MODEL
from avloc.training import TrainingConfig


@dataclass(frozen=True)
class RecipeRow:
    """One row of a table: one model."""

    name: str  # of its model file
    title: str  # as the table shows it
    model: str = DEFAULT_MODEL
    options: Mapping[str, object] = field(default_factory=dict)  # what it changes
    paper: Mapping[str, float] = field(default_factory=dict)  # percent, by supervision


@dataclass(frozen=True)
class Recipe:
    """A table to run."""

    features: Mapping[str, Any]  # options of `avloc.stages.extract`
    training: TrainingConfig  # the same for every row
    rows: tuple[RecipeRow, ...]
    synthesis: SynthesisConfig | None = None  # None to use existing data
    models: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # what all rows change
    needs_media: bool = False  # its clips show photographs and play recordings


def recipe_path(name: str) -> Path:
    """Return the path of a recipe that avloc brings along, or of a file that ends in ``.toml``."""
    if name.endswith(".toml"):
        return Path(name)
    known = {path.stem: path for path in recipe_folder().glob("*.toml")}
    if name not in known:
        raise UnknownNameError("recipe", name, known)
    return known[name]


def recipe_folder() -> Path:
    """Return the folder of avloc's recipes: in the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "pipelines"
    return inside if inside.is_dir() else package.parent / "pipelines"


def table_rows(table: str) -> tuple[RecipeRow, ...]:
    """Return the rows of one of the paper's tables: a folder of files that hold rows."""
    known = {path.name: path for path in recipe_folder().iterdir() if path.is_dir()}
    if table not in known:
        raise UnknownNameError("table", table, known)
    rows: list[RecipeRow] = []
    for path in sorted(known[table].glob("*.toml")):
        others = [name for name in _read_file(path) if name != "rows"]
        if others:
            raise DatasetError(
                f"sets {others[0]!r}, which has no effect in a row of a table",
                path,
                hint="What all rows share goes into base.toml, or is set with --set KEY=VALUE; "
                "what a row changes in its model goes into its options.",
            )
        rows += read_recipe(path).rows
    return tuple(rows)


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe and what it extends; a DatasetError or UsageError says what is wrong in it."""
    path = Path(path)
    tables = _read_tables(path)
    _refuse_unknown("recipe table", tables, ("extends", *_names(Recipe)))
    for name in ("features", "training", "synthesis", "models"):
        _check_is_table(tables.get(name, {}), name, path)
    for model, options in tables.get("models", {}).items():
        _check_options(model, options, f"models.{model}", path)
    features = tables.get("features", {})
    _refuse_unknown("option of extract", features, signature(extract).parameters)
    synthesis = tables.get("synthesis")
    return Recipe(
        features=features,
        training=options_from(TrainingConfig, tables.get("training", {})),
        rows=tuple(_row(table, path) for table in tables.get("rows", ())),
        synthesis=None if synthesis is None else options_from(SynthesisConfig, synthesis),
        models=tables.get("models", {}),
        needs_media=bool(tables.get("needs_media", False)),
    )


def changed(recipe: Recipe, settings: Settings) -> Recipe:
    """Return a recipe with other settings.

    ``key`` is for the training of all rows, ``model.key`` for a model, ``synthesis.key`` for clips.
    """
    training = asdict(recipe.training)
    synthesis: dict[str, object] = {}
    models = {model: dict(options) for model, options in recipe.models.items()}
    for key, value in values_of(settings, example="epochs=20").items():
        model, dot, name = key.rpartition(".")
        if model == "synthesis":
            synthesis[name] = value
            continue
        _refuse_unknown(
            "setting", [name], _names(model_class(model).Config if dot else TrainingConfig)
        )
        (models.setdefault(model, {}) if dot else training)[name] = value
    return replace(
        recipe,
        training=options_from(TrainingConfig, training),
        models=models,
        synthesis=_synthesis(recipe, synthesis),
    )


def _synthesis(recipe: Recipe, changes: Mapping[str, object]) -> SynthesisConfig | None:
    if not changes:
        return recipe.synthesis
    if recipe.synthesis is None:
        raise UsageError(
            f"synthesis.{next(iter(changes))} is for clips, and no clips are made here",
            "Name a recipe that makes some: --on drawn, or --on photos.",
        )
    return options_from(SynthesisConfig, {**asdict(recipe.synthesis), **changes})


def make_data(
    recipe: Recipe,
    data: Path,
    artifacts: Path,
    *,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a recipe's clips in ``data`` and extract their features; existing ones are kept."""
    if recipe.needs_media and not (pictures and sounds):
        raise UsageError(
            "this recipe makes its clips from photographs and recordings",
            "Name both: --pictures DIR --sounds DIR, each with one sub-folder per class.",
        )
    dataset = synthesize(
        data,
        recipe.synthesis,
        pictures=Path(pictures) if pictures else None,
        sounds=Path(sounds) if sounds else None,
        progress=step(progress, "clips"),
    )
    done = extract(
        data, artifacts=artifacts, progress=step(progress, "features"), **recipe.features
    )
    if done.report.failures:
        raise AvlocError(f"a clip failed: {done.report.failures[0].reason}")
    return dataset


def step(progress: Progress | None, name: str) -> Progress | None:
    """Return the progress of a step that is named before what it works on."""
    return progress and (lambda done, total, what: progress(done, total, f"{name}: {what}"))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"is not a readable recipe: {reason}", path) from error


def _read_tables(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a recipe's file and lay it over the one it extends."""
    if path.resolve() in above:
        raise DatasetError("extends itself", path)
    tables = _read_file(path)
    if "extends" not in tables:
        return tables
    below = _read_tables(path.parent / str(tables["extends"]), (*above, path.resolve()))
    return dict(_merged(below, tables))


def _merged(below: Any, above: Any) -> Any:
    """Lay a table over the one it extends, key by key at every depth; anything else replaces."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {name: _merged(below.get(name), above.get(name)) for name in below | above}
    return below if above is None else above


def _row(row: Any, path: Path) -> RecipeRow:
    _check_is_table(row, "rows", path)
    _refuse_unknown("row option", row, _names(RecipeRow))
    if not {"name", "title"} <= set(row):
        raise DatasetError("has a row without a name or a title", path)
    _check_options(row.get("model", DEFAULT_MODEL), row.get("options", {}), "options", path)
    return RecipeRow(**row)


def _check_options(model: str, options: Any, name: str, path: Path) -> None:
    _check_is_table(options, name, path)
    _refuse_unknown(f"option of {model}", options, _names(model_class(model).Config))


def _names(kind: Any) -> list[str]:
    return [entry.name for entry in fields(kind)]


def _check_is_table(value: object, name: str, path: Path) -> None:
    if not isinstance(value, dict):
        raise DatasetError(f"{name} is {value!r:.60}, not a table", path)


def _refuse_unknown(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(what, name, list(known))
