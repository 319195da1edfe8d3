"""A command whose help is written the usual way, and that takes ``-x.mp4`` for what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from avloc.errors import UsageError

_FILE_SUFFIXES = {
    *(".mp4", ".mkv", ".webm", ".mov", ".avi", ".wav", ".mp3", ".flac", ".ogg", ".m4a"),
    *(".h5", ".csv", ".jsonl"),
}


class Command(TyperCommand):
    """A command as typer makes it, with another layout of its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse a file whose name begins with ``-`` where it would be read as options.

        1012 of AVE's ids begin with ``-``; "no such option: -x" would not explain why.
        """
        options = [p for p in self.params if not getattr(p, "is_flag", True)]
        for before, argument in pairwise(["", *args]):
            if argument == "--":
                break
            if _is_dashed_name(argument) and not any(before in p.opts for p in options):
                raise UsageError(
                    f"{argument} begins with '-' and would be read as options",
                    f"Write ./{argument}, or put -- before it.",
                )
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage line's words: ``VIDEOS...`` instead of ``{videos}...``."""
        return [re.sub(r"[{}]", "", word).upper() for word in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments and options."""
        parameters: list[Any] = self.get_params(ctx)
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            if rows := [_row(p) for p in parameters if p.param_type_name == kind and not p.hidden]:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _is_dashed_name(argument: str) -> bool:
    if not argument.startswith("-") or argument == "-" or "=" in argument:
        return False
    return Path(argument).suffix.lower() in _FILE_SUFFIXES or Path(argument).exists()


def argument_name(argument: Any) -> str:
    """Return the word that stands for an argument: ``VIDEOS...`` where several may be given."""
    return str(argument.name).upper() + ("..." if argument.nargs == -1 else "")


def help_text(parameter: Any) -> str:
    """Return what an argument or option is, without its default."""
    if parameter.param_type_name == "option" and parameter.multiple:
        return f"{parameter.help} May be given several times."
    return str(parameter.help)


def default_text(parameter: Any) -> str:
    """Return a parameter's default as it is shown; empty where there is nothing to show."""
    shown = parameter.show_default
    default = str(parameter.default if shown is True else shown)
    return "" if default in ("None", "False") else default


def _row(parameter: Any) -> tuple[str, str]:
    """Return a parameter's name with its kind of value, and its help."""
    text, facts = help_text(parameter), "; ".join(_facts(parameter))
    if parameter.param_type_name == "argument":
        name = argument_name(parameter)
    else:
        name = ", ".join(sorted(parameter.opts, key=len))
        if not parameter.is_flag:
            name += f" {parameter.metavar}"
    return name, f"{text}  [{facts}]" if facts else text


def _facts(parameter: Any) -> Iterator[str]:
    if default := default_text(parameter):
        yield f"default: {default}"
    if parameter.min is not None:
        least = parameter.min
        yield f"at least {least}" if parameter.max is None else f"{least} to {parameter.max}"
    if parameter.required:
        yield "required"
