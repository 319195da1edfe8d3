"""The parts of the pages that follow from the code: commands, settings, errors, flags, reference.

``make pages`` runs cog, which writes them into the pages; ``tests/test_pages.py`` fails where a
page and the code differ.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import griffe
import typer.main

import avloc
from avloc import errors
from avloc.cli.app import app
from avloc.cli.help import argument_name, default_text, help_text
from avloc.datasets import SynthesisConfig
from avloc.events import EventRules
from avloc.export.confidence import LIMITS
from avloc.export.sense_letters import LETTERS
from avloc.media.flags import FLAGS
from avloc.models import list_models, model_class
from avloc.options import describe_options
from avloc.training import TrainingConfig

ROOT = Path(__file__).parents[1]


def commands() -> str:
    """Return a section for each command: what it does, its arguments and its options."""
    known: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return "\n\n".join(_command(name, known[name]) for name in known)


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    words = [_argument_word(p) for p in arguments]
    parts = [
        f"## avloc {name}",
        inspect.cleandoc(command.help),
        f"```text\n{' '.join(['avloc', name, *(['[OPTIONS]'] if options else []), *words])}\n```",
    ]
    if arguments:
        rows = [(f"`{_argument_word(p)}`", help_text(p), _default(p)) for p in arguments]
        parts.append(table(("argument", "what it is", "if not given"), rows))
    if options:
        rows = [(_option_words(p), help_text(p), _default(p)) for p in options]
        parts.append(table(("option", "what it does", "if not given"), rows))
    return "\n\n".join(parts)


def _argument_word(argument: Any) -> str:
    word = argument_name(argument)
    return word if argument.required else f"[{word}]"


def _option_words(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar}"
    return ", ".join(f"`{name}{value}`" for name in option.opts)


def _default(parameter: Any) -> str:
    default = default_text(parameter)
    if parameter.required:
        return "must be given"
    is_in_words = isinstance(parameter.show_default, str)
    return default if is_in_words or not default else f"`{default}`"


def settings(name: str) -> str:
    """Return a table of a dataclass's options: those that ``--set NAME=VALUE`` takes."""
    kinds: dict[str, Any] = {model: model_class(model).Config for model in list_models()}
    kinds |= {"training": TrainingConfig, "synth": SynthesisConfig, "events": EventRules}
    rows = [
        (f"`{line.name}`", line.help, line.values, f"`{line.default}`")
        for line in describe_options(kinds[name])
    ]
    return table(("setting", "what it is", "values", "default"), rows)


def error_table() -> str:
    """Return a table of the errors, in the order in which they are written."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.AvlocError)
    ]
    rows = [
        (f"`{kind.__name__}`", f"`{kind.__bases__[0].__name__}`", _first_line(kind), kind.exit_code)
        for kind in kinds
    ]
    return table(("error", "is a", "what happened", "exit code"), rows)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def flag_table() -> str:
    """Return a table of the flags that a video can have."""
    return table(("flag", "what it means"), [(f"`{name}`", said) for name, said in FLAGS.items()])


def confidence_table() -> str:
    """Return a table of the words for scores."""
    rows = [(word, f"from {least:g}" if least else "lower") for word, least in LIMITS]
    return table(("word", "score"), rows)


def sense_table() -> str:
    """Return a table of the senses that can know an event."""
    meanings = {
        "heard": "the sound alone is enough to know it",
        "seen": "the picture alone is enough to know it",
        "both": "either is enough, or only both together are",
        "unknown": "the model cannot tell",
    }
    rows = [(f"`{sense}`", letter, meanings[sense]) for sense, letter in LETTERS.items()]
    return table(("sense", "letter", "what it means"), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def reference(path: str, *members: str) -> str:
    """Return a section about a public name: how it is called, and its docstring.

    Args:
        path: ``avloc.train`` for a name of `avloc` itself, else where the name is defined.
        members: the methods of a class to describe.
    """
    name = path.removeprefix("avloc.")
    home = avloc._HOME.get(name)
    thing = _package()[f"{home}.{name}".removeprefix("avloc.") if home else name]
    parts = [f"### {path}", *_described(thing)]
    for member in members:
        parts += [f"#### {thing.name}.{member}", *_described(thing.members[member])]
    return "\n\n".join(parts)


@cache
def _package() -> griffe.Module:
    package = griffe.load("avloc", search_paths=[ROOT], docstring_parser="google")
    assert isinstance(package, griffe.Module)
    return package


def _described(thing: Any) -> list[str]:
    docstring = thing.docstring or griffe.Docstring("")
    text, _, raised = docstring.value.partition("\n\nRaises:\n")
    docstring.value = text
    sections = docstring.parse("google", warnings=False)
    parts = [f"```text\n{_call(thing)}\n```", *filter(None, map(_section, sections))]
    return parts + ([f"Errors:\n\n{_errors(raised)}"] if raised else [])


def _errors(text: str) -> str:
    """Return a line for each error of a ``Raises`` section, where several share a line."""
    pairs = re.findall(r"(\w+Error): (.*?)(?=\s\w+Error: |$)", " ".join(text.split()))
    return "\n".join(f"- `{name}`: {when}" for name, when in pairs)


def _call(thing: Any) -> str:
    """Return how a name is called, a parameter a line where one line is too long."""
    parameters = [p for p in thing.parameters if p.name != "self"]
    words, is_keyword_only = [], False
    for p in parameters:
        if p.kind is griffe.ParameterKind.keyword_only and not is_keyword_only:
            words.append("*")
            is_keyword_only = True
        value = "" if p.default is None else f" = {p.default}"
        words.append(f"{p.name}: {p.annotation}{value}" if p.annotation else f"{p.name}{value}")
    result = f" -> {thing.returns}" if thing.is_function and thing.returns else ""
    line = f"{thing.name}({', '.join(words)}){result}"
    if len(line) <= 88:
        return line
    return "\n".join([f"{thing.name}(", *(f"    {word}," for word in words), f"){result}"])


_TITLES = {"parameters": "Arguments", "attributes": "Attributes"}


def _section(section: Any) -> str:
    kind = section.kind.value
    if kind == "text":
        return str(section.value)
    if kind == "returns":
        return "Returns: " + " ".join(" ".join(r.description.split()) for r in section.value)
    if kind not in _TITLES:
        return ""
    rows = [f"- `{entry.name}`: {' '.join(entry.description.split())}" for entry in section.value]
    return f"{_TITLES[kind]}:\n\n" + "\n".join(rows)
