"""``avloc --help`` is quick, and what must be light is light."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from commands import Shell

COMMANDS = (
    "extract",
    "train",
    "eval",
    "localize",
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


def imported_by(code: str) -> set[str]:
    """Return the top-level modules a fresh interpreter has loaded after some code."""
    probe = f"{code}\nimport sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


def test_help_imports_neither_torch_nor_anything_else_heavy() -> None:
    code = (
        "import sys; sys.argv = ['avloc', '--help']\n"
        "from avloc.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    heavy = {"torch", "torchvision", "torchaudio", "numpy", "av", "h5py", "librosa", "matplotlib"}
    assert imported_by(code) & heavy == set()


def test_import_avloc_is_light() -> None:
    assert imported_by("import avloc") & {"torch", "numpy", "h5py", "av"} == set()


def test_a_timeline_brings_nothing_that_only_showing_it_needs() -> None:
    assert imported_by("import avloc.timeline") & {"matplotlib", "jinja2", "pandas"} == set()


def test_help_takes_less_than_the_promised_time() -> None:
    def seconds() -> float:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "avloc", "--help"], check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - begun

    # 0.2 s on an idle machine; the best of several, because the machine may not be idle
    assert min(seconds() for _ in range(8)) < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(avloc: Shell, command: str) -> None:
    ended = avloc(command, "--help")
    assert ended.code == 0
    assert f"Usage: avloc {command}" in ended.out


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
