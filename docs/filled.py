"""What the pages leave to the code: commands, settings and errors, as they are now.

A page holds a mark, ``<!-- commands -->`` for example, and mkdocs calls `on_page_markdown`,
which puts what is read off the command line and the dataclasses in its place. So no list of
options is written twice, and none goes stale.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from avloc import errors
from avloc.cli.app import app
from avloc.cli.help import value_word
from avloc.datasets import SynthesisConfig
from avloc.events import EventRules
from avloc.media.flags import FLAGS
from avloc.models import list_models, model_class
from avloc.options import describe_options
from avloc.training import TrainingConfig

ROOT = Path(__file__).parents[1]
TAKEN_OVER = {"benchmarks.md": "BENCHMARKS.md", "changelog.md": "CHANGELOG.md"}
"""Pages that are files of the repository's top level."""
_MARK = re.compile(r"^<!-- (commands|settings|errors|flags)(?:: (\S+))? -->$", re.M)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside ``docs/``."""
    for page, name in TAKEN_OVER.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill in the marks of a page.

    Raises:
        KeyError: a mark names nothing that is there.
    """
    return _MARK.sub(lambda mark: _FILLERS[mark[1]](mark[2]), markdown)


def commands(_: str | None = None) -> str:
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
        rows = [(f"`{_argument_word(p)}`", p.help, _default(p)) for p in arguments]
        parts.append(table(("argument", "what it is", "if not given"), rows))
    if options:
        rows = [(_option_words(p), _help(p), _default(p)) for p in options]
        parts.append(table(("option", "what it does", "if not given"), rows))
    return "\n\n".join(parts)


def _argument_word(argument: Any) -> str:
    word = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return word if argument.required else f"[{word}]"


def _option_words(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or value_word(option.bare_type())}"
    return ", ".join(f"`{name}{value}`" for name in option.opts)


def _help(option: Any) -> str:
    told = option.help
    if option.multiple:
        told += " May be given several times."
    return told + (f" Also `${option.envvar}`." if option.envvar else "")


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return str(parameter.show_default)
    if parameter.default in (None, "", False):
        return "must be given" if parameter.required else ""
    return f"`{parameter.default}`"


def settings(name: str) -> str:
    """Return a table of a dataclass's options: those that ``--set NAME=VALUE`` takes."""
    kinds: dict[str, Any] = {model: model_class(model).Config for model in list_models()}
    kinds |= {"training": TrainingConfig, "synth": SynthesisConfig, "events": EventRules}
    rows = [
        (f"`{line.name}`", line.help, line.values, f"`{line.default}`")
        for line in describe_options(kinds[name])
    ]
    return table(("setting", "what it is", "values", "default"), rows)


def error_table(_: str | None = None) -> str:
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


def flag_table(_: str | None = None) -> str:
    """Return a table of the flags that a video can have."""
    return table(("flag", "what it means"), [(f"`{name}`", said) for name, said in FLAGS.items()])


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


_FILLERS: dict[str, Callable[[Any], str]] = {
    "commands": commands,
    "settings": settings,
    "errors": error_table,
    "flags": flag_table,
}
