"""``avloc --help`` is light: what a fresh process imports for it is counted, not timed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from commands import Shell
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMMANDS = (
    "extract",
    "train",
    "eval",
    "localize",
    "open",
    "label",
    "calibrate",
    "reproduce",
    "import-features",
    "export-features",
    "synth",
    "inspect",
    "verify",
    "doctor",
    "demo",
    "bench",
)


def modules_of(distribution: str) -> set[str]:
    """Return the top-level modules of a distribution and of all that it requires."""
    known, todo = set(), {distribution}
    while todo:
        known.add(name := todo.pop())
        with contextlib.suppress(PackageNotFoundError):  # for another platform
            needed = map(Requirement, requires(name) or ())
            todo |= {canonicalize_name(r.name) for r in needed if not r.marker} - known
    owners = packages_distributions()
    return {m for m, names in owners.items() if known & set(map(canonicalize_name, names))}


def imported_by(code: str) -> set[str]:
    """Return the top-level modules a fresh interpreter has loaded after some code."""
    probe = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_imports_what_a_command_line_needs_and_nothing_else(command: str | None) -> None:
    arguments = ["avloc", *filter(None, [command]), "--help"]
    code = (
        f"import sys; sys.argv = {arguments}\n"
        "from avloc.cli import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert not ended.code"
    )
    allowed = {"avloc", *modules_of("typer"), *sys.stdlib_module_names}
    assert {name for name in imported_by(code) if not name.startswith("_")} <= allowed


def test_import_avloc_is_light() -> None:
    assert imported_by("import avloc") & {"torch", "numpy", "h5py", "av"} == set()


def test_a_timeline_imports_nothing_that_only_showing_it_needs() -> None:
    assert imported_by("import avloc.timeline") & {"matplotlib", "jinja2", "pandas"} == set()


def test_overview_names_every_command(avloc: Shell) -> None:
    shown = avloc("--help").out
    assert [command for command in COMMANDS if f"\n  {command} " not in shown] == []
    assert "..." not in shown.partition("Commands:")[2]


def test_version(avloc: Shell) -> None:
    from importlib.metadata import version

    assert avloc("--version").out.strip() == f"avloc {version('avloc')}"


def test_synth_help_shows_the_defaults_of_its_config(avloc: Shell) -> None:
    from avloc.datasets import SynthesisConfig

    shown = " ".join(avloc("synth", "--help").out.split())
    config = SynthesisConfig()
    for option, value in {
        "train": config.n_train,
        "val": config.n_val,
        "test": config.n_test,
        "classes": config.n_classes,
        "seed": config.seed,
    }.items():
        assert f"default: {value}" in shown.partition(f"--{option} ")[2].partition(" --")[0]


def test_train_help_shows_the_defaults_of_its_config(avloc: Shell) -> None:
    from avloc.training import TrainingConfig

    shown = " ".join(avloc("train", "--help").out.split())
    config = TrainingConfig()
    for option, value in {"seed": config.seed, "epochs": config.epochs}.items():
        assert f"default: {value}" in shown.partition(f"--{option} ")[2].partition(" --")[0]
