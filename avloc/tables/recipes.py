"""Recipes: ``pipelines/*.toml`` read, checked, and run through the stages.

A recipe names the features, the training and the rows of a table, one model a row; one that
``extends`` another names only what it changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.datasets import SynthesisConfig
from avloc.errors import DatasetError, UnknownNameError
from avloc.models import model_class
from avloc.options import Settings, options_from, values_of
from avloc.progress import Progress
from avloc.stages.evaluate import EvaluatedSplit, evaluate
from avloc.stages.extract import extract
from avloc.stages.train import Training, train
from avloc.stages.workspace import DEFAULT_MODEL
from avloc.training import TrainingConfig

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class RecipeRow:
    """One row of a table: one model.

    Attributes:
        name: of its model file.
        title: as the table shows it.
        model: the registered model.
        options: what it changes in the model.
        paper: the paper's accuracy in percent, by supervision; empty where it has none.
    """

    name: str
    title: str
    model: str = DEFAULT_MODEL
    options: Mapping[str, object] = field(default_factory=dict)
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A table to run.

    Attributes:
        features: options of `avloc.stages.extract`.
        training: the same for every row.
        rows: the models to compare.
        synthesis: the data to make; None when the recipe runs on data that is there.
        models: what every row changes in a model, by the model's name.
        needs_media: its clips are made of photographs and recordings.
    """

    features: Mapping[str, Any]
    training: TrainingConfig
    rows: tuple[RecipeRow, ...]
    synthesis: SynthesisConfig | None = None
    models: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    needs_media: bool = False


@dataclass(frozen=True)
class RowResult:
    """A row that was trained and evaluated."""

    row: RecipeRow
    training: Training
    test: EvaluatedSplit


def recipe_path(name: str) -> Path:
    """Return a recipe: one that comes with avloc by its name, one's own by its file.

    Raises:
        UnknownNameError: there is no such recipe.
    """
    if name.endswith(".toml"):
        return Path(name)
    known = {path.stem: path for path in recipe_folder().glob("*.toml")}
    if name not in known:
        raise UnknownNameError("recipe", name, known)
    return known[name]


def recipe_folder() -> Path:
    """Return where the recipes that come with avloc lie."""
    package = Path(__file__).parents[1]
    inside, beside = package / "pipelines", package.parent / "pipelines"
    return inside if inside.is_dir() else beside  # a wheel carries them, a checkout has them


def table_rows(table: str) -> tuple[RecipeRow, ...]:
    """Return the rows of one of the paper's tables: a folder of files that hold rows.

    Raises:
        UnknownNameError: there is no such table.
        DatasetError: a file of it sets more than rows, or a row is wrong.
    """
    known = {path.name: path for path in recipe_folder().iterdir() if path.is_dir()}
    if table not in known:
        raise UnknownNameError("table", table, known)
    return tuple(row for path in sorted(known[table].glob("*.toml")) for row in _rows_of(path))


def _rows_of(path: Path) -> tuple[RecipeRow, ...]:
    """Read a row's file; the rows of a table share their training, so a file holds no other."""
    tables = _read_tables(path)
    others = [name for name in tables if name != "rows"]
    if others:
        name = "extends" if "extends" in others else others[0]
        raise DatasetError(
            f"sets {name!r}, which has no effect in a row of a table",
            path,
            hint="What all rows share goes into base.toml, or is set with --set KEY=VALUE; what "
            "a row changes in its model goes into its options.",
        )
    return read_recipe(path).rows


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe and what it extends.

    Raises:
        DatasetError: it is missing, not TOML, or a value has the wrong type.
        UnknownNameError: it sets something that does not exist.
        UsageError: a value is out of its range.
    """
    path = Path(path)
    tables = _read_tables(path)
    _refuse_unknown("recipe table", tables, ("extends", *(f.name for f in fields(Recipe))))
    for name in ("features", "training", "synthesis", "models"):
        _check_is_table(tables.get(name, {}), name, path)
    models = tables.get("models", {})
    for model, options in models.items():
        _check_is_table(options, f"models.{model}", path)
        _refuse_unknown(f"option of {model}", options, _names(model_class(model).Config))
    features = tables.get("features", {})
    _refuse_unknown("option of extract", features, tuple(signature(extract).parameters))
    synthesis = tables.get("synthesis")
    return Recipe(
        features=features,
        training=options_from(TrainingConfig, tables.get("training", {})),
        rows=tuple(_row(table, path) for table in tables.get("rows", ())),
        synthesis=None if synthesis is None else options_from(SynthesisConfig, synthesis),
        models=models,
        needs_media=bool(tables.get("needs_media", False)),
    )


def changed(recipe: Recipe, settings: Settings) -> Recipe:
    """Return a recipe with ``key=value`` settings that hold for all its rows.

    Args:
        recipe: what they change.
        settings: ``key`` for the training, ``model.key`` for the rows of a model.

    Raises:
        UsageError: a setting is no ``key=value``, or a value cannot be.
        UnknownNameError: there is no such model or option.
    """
    training: dict[str, object] = {}
    models = {model: dict(options) for model, options in recipe.models.items()}
    for key, value in values_of(settings, example="epochs=20").items():
        model, dot, name = key.rpartition(".")
        known = _names(model_class(model).Config if dot else TrainingConfig)
        if name not in known:
            raise UnknownNameError("setting", name, known)
        (models.setdefault(model, {}) if dot else training)[name] = value
    of_training = options_from(TrainingConfig, {**asdict(recipe.training), **training})
    return replace(recipe, training=of_training, models=models)


def run_rows(
    recipe: Recipe, artifacts: Path, *, device: str = "auto", progress: Progress | None = None
) -> list[RowResult]:
    """Train and evaluate each row on the workspace's features.

    Args:
        recipe: the rows and their training.
        artifacts: a workspace whose features are there.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        progress: called with (epochs done, epochs, row) for each row in turn.

    Returns:
        A result a row, in order, on the test split.
    """
    results = []
    for row in recipe.rows:
        trained = train(
            artifacts=artifacts,
            model=row.model,
            name=row.name,
            set={**asdict(recipe.training), **row.options},
            device=device,
            progress=_named(progress, row.title),
        )
        test = evaluate(artifacts=artifacts, model=trained.path, device=device)
        results.append(RowResult(row, trained, test))
    return results


def _named(progress: Progress | None, title: str) -> Progress | None:
    return progress and (lambda done, total, _: progress(done, total, title))


def _read_tables(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in above:
        raise DatasetError("extends itself", path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(
            f"is not a readable recipe: {getattr(error, 'strerror', None) or error}", path
        ) from error
    if "extends" not in tables:
        return tables
    below = _read_tables(path.parent / str(tables["extends"]), (*above, path.resolve()))
    merged: dict[str, Any] = _merged(below, tables)
    return merged


def _merged(below: Any, above: Any) -> Any:
    """Lay a table over the one it extends, key by key at every depth; anything else replaces."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {name: _merged(below.get(name), above.get(name)) for name in below | above}
    return below if above is None else above


def _row(table: object, path: Path) -> RecipeRow:
    _check_is_table(table, "rows", path)
    row = dict(table)  # type: ignore[call-overload]
    _refuse_unknown("row option", row, _names(RecipeRow))
    if not {"name", "title"} <= set(row):
        raise DatasetError("has a row without a name or a title", path)
    options = row.get("options", {})
    _check_is_table(options, "options", path)
    model = row.get("model", DEFAULT_MODEL)
    _refuse_unknown(f"option of {model}", options, _names(model_class(model).Config))
    return RecipeRow(**row)


def _names(kind: type[DataclassInstance]) -> list[str]:
    return [entry.name for entry in fields(kind)]


def _check_is_table(value: object, name: str, path: Path) -> None:
    if not isinstance(value, dict):
        raise DatasetError(f"{name} is {value!r:.60}, not a table", path)


def _refuse_unknown(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(what, name, known)
