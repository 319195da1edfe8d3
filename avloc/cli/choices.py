"""Options that take a name out of a list: shown in the help, completed, checked at once.

The names are written out here because the modules that know them import torch, and the help
must not. ``tests/cli/test_choices.py`` holds both equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from avloc.errors import UnknownNameError

VISUAL_ENCODERS = (
    "efficientnet-lite0",
    "resnet101",
    "resnet152",
    "resnet18",
    "resnet34",
    "resnet50",
    "vgg19",
)
AUDIO_ENCODERS = ("logmel", "vggish")
SAMPLINGS = ("pts", "ave2018")
PRECISIONS = ("auto", "fp32", "fp16")
RUNTIMES = ("auto", "compile", "eager", "onnx")
MODELS = ("avel", "avsdn", "cam", "cman")
SUPERVISIONS = ("full", "weak")
WEAK_LABELS = ("proportion", "presence")
SELECTIONS = ("val", "test")
SPLITS = ("train", "val", "test")
DECODERS = ("segment", "video")
MODALITIES = ("audio", "visual")
TABLES = ("table1", "table2")
CLIP_SOURCES = ("drawn", "photos")
EXPORT_FORMATS = (
    "json",
    "jsonl",
    "csv",
    "tsv",
    "srt",
    "vtt",
    "audacity",
    "elan",
    "label-studio",
    "h5",
)
_WIDEST = 30  # characters of names beside an option, so that its help still fits a line


def choice(names: Sequence[str], *flags: str, help: str) -> Any:
    """Declare an option that takes one of these names."""
    return typer.Option(*flags, **choosing(names, help))


def choosing(names: Sequence[str], help: str, *, is_argument: bool = False) -> dict[str, Any]:
    """Return what typer takes for a parameter that takes one of these names, or several."""
    joined = "|".join(names)
    fits = len(joined) <= _WIDEST and not is_argument
    return {
        "metavar": joined if fits else None if is_argument else "NAME",
        "help": help if fits else f"{help} One of {', '.join(names)}.",
        "callback": _checking(names),
        "autocompletion": completing(names),
    }


def completing(names: Sequence[str]) -> Any:
    """Return what offers names to the shell's completion."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _checking(names: Sequence[str]) -> Any:
    def check(parameter: typer.CallbackParam, value: Any) -> Any:
        for name in [value] if isinstance(value, str) else value or ():
            if name and name not in names:
                raise UnknownNameError(f"value of {max(parameter.opts, key=len)}", name, names)
        return value

    return check
