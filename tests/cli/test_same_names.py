"""Every option of a command is a parameter of the same name of its Python function."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import typer

import avloc
from avloc.artifacts import describe
from avloc.cli.app import app
from avloc.stages.bench import bench
from avloc.tables.demonstration import run_demo

FUNCTIONS = {
    "extract": avloc.extract,
    "train": avloc.train,
    "eval": avloc.evaluate,
    "localize": avloc.localize,
    "open": avloc.open_model,
    "reproduce": avloc.reproduce,
    "import-features": avloc.import_features,
    "export-features": avloc.export_features,
    "synth": avloc.synth,
    "inspect": describe,
    "calibrate": avloc.calibrate,
    "label": avloc.label,
    "status": avloc.status,
    "verify": avloc.verify,
    "bench": bench,
    "demo": run_demo,
}
# What these choose is how an answer is shown, and the function returns the answer itself.
SHOWING = {
    "eval": {"per_class", "format"},
    "extract": {"dry_run"},
    "train": {"settings"},
    "reproduce": {"settings"},
    "synth": {"settings"},
    "open": {"show"},
    "inspect": {"all", "format", "json"},
    "status": {"format", "json"},
    "bench": {"format", "json"},
}
WITHOUT_OPTIONS = {"doctor"}
# What only Python can give.
PYTHON_ONLY = {
    "extract": {"notice"},
    "label": {"notice"},
    "train": {"report"},
    "localize": {"each", "notice", "write"},
    "reproduce": {"recipe"},
}
# An option that is repeated is called after one of its values, the parameter after all of them.
REPEATED = {(name, "label"): "labels" for name in ("label", "localize", "open")}


def commands() -> dict[str, Any]:
    return dict(typer.main.get_command(app).commands)


def test_every_command_is_accounted_for() -> None:
    assert set(commands()) == set(FUNCTIONS) | WITHOUT_OPTIONS
    assert not any(names_of(commands()[name]) for name in WITHOUT_OPTIONS)


def names_of(command: Any) -> dict[str, object]:
    """Return the name of each argument and option as it is typed, with its default."""
    names = {}
    for parameter in command.params:
        longest = max(parameter.opts, key=len)
        if longest != "--help":
            name = longest.lstrip("-").replace("-", "_")
            names[REPEATED.get((command.name, name), name)] = parameter.default
    return names


@pytest.mark.parametrize("name", FUNCTIONS)
def test_options_and_parameters_have_the_same_names(name: str) -> None:
    typed = set(names_of(commands()[name])) - SHOWING.get(name, set())
    taken = inspect.signature(FUNCTIONS[name]).parameters
    assert set(taken) - typed - {"progress"} == PYTHON_ONLY.get(name, set())
    assert typed <= set(taken)
    assert SHOWING.get(name, set()) & set(taken) == set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_options_and_parameters_have_the_same_defaults(name: str) -> None:
    taken = inspect.signature(FUNCTIONS[name]).parameters
    for option, default in names_of(commands()[name]).items():
        if option in SHOWING.get(name, set()):
            continue
        value = taken[option].default
        # a shell cannot say "nothing given" but by an empty text, list or None
        if value is not inspect.Parameter.empty and (value or default) and default is not None:
            assert default == value, option
