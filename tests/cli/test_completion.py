"""The shell's completion offers commands, options and names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from avloc.options import OVERWRITE

AVLOC = Path(sys.executable).with_name("avloc")


def completed(*words: str) -> list[str]:
    """Return what bash would offer for the last of these words."""
    environment = {
        **os.environ,
        "_AVLOC_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["avloc", *words]),
        "COMP_CWORD": str(len(words)),
    }
    ended = subprocess.run([AVLOC], env=environment, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.stdout.split()


def test_commands_are_completed() -> None:
    assert completed("ex") == ["extract", "export-features"]
    assert "localize" in completed("")


def test_options_are_completed() -> None:
    assert completed("localize", "--heat") == ["--heatmap", "--heatmap-style"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("extract", "--visual", "resnet1"), ["resnet101", "resnet152", "resnet18"]),
        (("extract", "--overwrite", ""), list(OVERWRITE)),
        (("train", "--model", "c"), ["cam", "cman"]),
        (("eval", "--decode", "v"), ["video"]),
        (("localize", "--format", "js"), ["json", "jsonl"]),
        (("localize", "--device", "c"), ["cpu", "cuda"]),
        (("reproduce", "t"), ["table1", "table2"]),
        (("reproduce", "i"), ["inconsistency"]),
        (("reproduce", "table1", "--on", "d"), ["drawn"]),
    ],
)
def test_names_are_completed(words: tuple[str, ...], offered: list[str]) -> None:
    assert completed(*words) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_takes_the_script_that_is_shown(tmp_path: Path) -> None:
    shown = subprocess.run(
        ["bash", "-c", f"'{AVLOC}' --show-completion bash || '{AVLOC}' --show-completion"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "_AVLOC_COMPLETE" in shown.stdout, shown.stderr
    script = tmp_path / "completion.sh"
    script.write_text(
        f"PATH='{AVLOC.parent}':$PATH\n{shown.stdout}\n"
        "COMP_WORDS=(avloc train --model a); COMP_CWORD=3; _avloc_completion avloc\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    ended = subprocess.run(["bash", script], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["avel", "avsdn"]
