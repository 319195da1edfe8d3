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
DEVICES = ("auto", "cpu", "cuda", "cuda:N")
_WIDEST = 30  # characters of names beside an option, so that its help still fits a line


def choice(
    what: str,
    names: Sequence[str],
    *flags: str,
    help: str,
    show_default: str | bool = True,
) -> Any:
    """Declare an option that takes one of these names, or several of them if it is a list.

    Args:
        what: the kind of thing, for the error about another name.
        names: what it takes.
        flags: the option's own names, if they do not follow from the parameter's.
        help: one line; a long list of names is added to it.
        show_default: the default in words, where the parameter's own does not say it.
    """
    metavar, text = _shown(names, help)
    return typer.Option(
        *flags,
        metavar=metavar,
        help=text,
        show_default=show_default,
        callback=_checking(what, names),
        autocompletion=completing(names),
    )


def choice_argument(what: str, names: Sequence[str], *, help: str) -> Any:
    """Declare an argument that takes these names."""
    return typer.Argument(
        help=f"{help} One of {', '.join(names)}." if len(names) > 1 else help,
        callback=_checking(what, names),
        autocompletion=completing(names),
    )


def completing(names: Sequence[str]) -> Any:
    """Return what offers names to the shell's completion."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def _shown(names: Sequence[str], help: str) -> tuple[str, str]:
    """Return what stands beside the option, and its help."""
    joined = "|".join(names)
    if len(joined) <= _WIDEST:
        return joined, help
    return "NAME", f"{help} One of {', '.join(names)}."


def _checking(what: str, names: Sequence[str]) -> Any:
    def check(value: Any) -> Any:
        for name in [value] if isinstance(value, str) else value or ():
            if name and name not in names:
                raise UnknownNameError(what, name, names)
        return value

    return check
