"""A command whose help is written the usual way: ``--out PATH``, ``[default: cman]``."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand

_WORDS = {"path": "PATH", "int": "N", "float": "X"}
_TYPE = re.compile(r"<(?:list\[)?(\w+)(?: range)?\]?>")
_LIST = " May be given several times."


class Command(TyperCommand):
    """A command as typer makes it, with another layout of names, types and defaults."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the usage line's words: ``VIDEOS...`` instead of ``{videos}...``."""
        return [re.sub(r"[{}]", "", word).upper() for word in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections of arguments and options."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            rows = [
                help_row(parameter, record)
                for parameter in self.get_params(ctx)
                if parameter.param_type_name == kind and (record := parameter.get_help_record(ctx))
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def help_row(parameter: Any, record: tuple[str, str]) -> tuple[str, str]:
    """Return a parameter's name with its kind of value, and its help."""
    name, text = record
    if parameter.param_type_name == "argument":
        name = name.partition(" ")[0].upper()
    elif parameter.multiple:
        text, between, facts = text.partition("  [")
        text += _LIST + between + facts
    return _TYPE.sub(lambda found: value_word(found[1]), name), _facts_in_words(text)


def value_word(kind: str) -> str:
    """Return the word for a kind of value, by its Python name: ``PATH``, ``N``, ``X``, ``TEXT``."""
    return _WORDS.get(kind.lower(), "TEXT")


def _facts_in_words(text: str) -> str:
    """Rewrite what typer adds to a help: ``default: (cman)``, ``1<=x<=120``, ``x>=0``."""
    text = re.sub(r"(default: )\(([^()]*)\)(?=[;\]])", r"\1\2", text)
    text = re.sub(r"(\d+)<=x<=(\d+)(?=\])", r"\1 to \2", text)
    return re.sub(r"x>=(\d+)(?=\])", r"at least \1", text)
