"""Commands that are public functions: same help, same parameters, same defaults.

All of it is read from the function's signature and docstring. A command says only what differs
on the command line.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence, Set
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from avloc.cli.signatures import REQUIRED, Parameter, read_function, read_names
from avloc.errors import UnknownNameError

_SHARED: Mapping[str, Mapping[str, Any]] = {
    "artifacts": {"more": "The commands leave files for each other there."},
    "audio": {
        "choices": "avloc.features.architectures.AUDIO_ENCODERS",
        "forms": ("hf:ORG/NAME",),
    },
    "cluster": {"metavar": "ADDRESS", "completes": ("auto", "local")},
    "cluster_workers": {"min": 1},
    "cpus": {"min": 0},
    "device": {"metavar": "auto|cpu|cuda|cuda:N", "completes": ("auto", "cpu", "cuda")},
    "engine": {"choices": "avloc.engine.ENGINES"},
    "gpus": {"min": 0},
    "overwrite": {"choices": "avloc.options.OVERWRITE"},
    "precision": {"choices": ("auto", "fp32", "fp16", "bf16")},
    "runtime": {"choices": "avloc.features.runtimes.RUNTIMES"},
    "set": {"metavar": "KEY=VALUE", "more": "--settings lists them."},
    "visual": {
        "choices": "avloc.features.architectures.VISUAL_ENCODERS",
        "forms": ("hf:ORG/NAME", "timm:NAME"),
    },
}
"""What parameters of these names have in every command."""
_VALUE_WORDS = {Path: "PATH", int: "N", float: "X", str: "TEXT"}
_WIDEST = 30  # characters of names beside an option, so that its help still fits a line


def parameters_of(
    function: str, *, omit: Sequence[str] = (), **differences: Mapping[str, Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a function's help, and its parameters before the command's own ones.

    The command is called with a dict of what was given, ready for the function, and with the
    values of its own parameters. What its docstring says after the first line joins the help.

    Args:
        function: the dotted name, for example ``avloc.stages.train.train``.
        omit: parameters that the command line does not offer.
        differences: by parameter: ``flags``; ``choices``, names or a constant that holds them;
            ``plugins``, a group of entry points whose names are choices too; ``forms``, other
            names that are taken, as ``PREFIX:...``; ``completes``, names for the shell's
            completion; ``more``, a sentence of help; and whatever else ``typer.Option`` takes.
    """
    description, parameters = read_function(function)
    offered = [entry for entry in parameters if entry.name not in omit]
    options = {entry.name for entry in offered if not entry.is_positional}
    declared = [
        _declared(entry, options, **differences.get(entry.name, _SHARED.get(entry.name, {})))
        for entry in offered
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *added = inspect.signature(command, eval_str=True).parameters.values()
        added = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in added]

        @wraps(command)
        def run(**values: Any) -> None:
            given = {entry.name: values.pop(entry.name) for entry in offered}
            command({name: v for name, v in given.items() if v is not None}, **values)

        run.__signature__ = inspect.Signature([*declared, *added])  # type: ignore[attr-defined]
        run.__annotations__ = {}
        more = (inspect.getdoc(command) or "").partition("\n\n")[2]
        run.__doc__ = _in_words(f"{description}\n\n{more}", options)
        return run

    return decorate


def printed_as(*formats: str) -> Any:
    """Declare ``--format``: how a command prints its data."""
    return typer.Option(**_choosing(formats, "How the results are printed."))


def _declared(
    entry: Parameter,
    options: Set[str],
    *,
    flags: Sequence[str] = (),
    choices: Sequence[str] | str = (),
    plugins: str = "",
    forms: Sequence[str] = (),
    completes: Sequence[str] = (),
    more: str = "",
    **settings: Any,
) -> inspect.Parameter:
    """Return a parameter as typer reads it."""
    kind: Any = entry.kind
    default, words = entry.default, _in_words(entry.default_in_words, options)
    if entry.is_list:
        kind = list[kind]
        if default is not REQUIRED:
            default, words = None, words or str(default or "")
    help = f"{_in_words(entry.help, options)} {more}".rstrip()
    settings = {"help": help, "show_default": words or True} | settings
    names = read_names(choices) if isinstance(choices, str) else choices or entry.choices
    if names:
        settings |= _choosing(names, help, plugins, forms, is_argument=entry.is_positional)
    elif completes:
        settings["autocompletion"] = _completing(completes)
    if entry.is_positional:
        declared = typer.Argument(**settings)
    else:
        settings.setdefault("metavar", _VALUE_WORDS.get(entry.kind))
        declared = typer.Option(*(flags or [_flag(entry.name)]), **settings)
    return inspect.Parameter(
        entry.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind | None if default is None else kind, declared],
    )


def _choosing(
    names: Sequence[str],
    help: str,
    plugins: str = "",
    forms: Sequence[str] = (),
    *,
    is_argument: bool = False,
) -> dict[str, Any]:
    """Return what typer takes for a parameter that takes one of these names, or several."""
    joined, shown = "|".join([*names, *forms]), ", ".join([*names, *forms])
    fits = len(joined) <= _WIDEST and not is_argument
    return {
        "metavar": joined if fits else None if is_argument else "NAME",
        "help": help if fits else f"{help} One of {shown}.",
        "callback": _checking(names, plugins, forms),
        "autocompletion": _completing(names, plugins),
    }


def _completing(names: Sequence[str], plugins: str = "") -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in _with_plugins(names, plugins) if name.startswith(incomplete)]

    return complete


def _with_plugins(names: Sequence[str], group: str) -> list[str]:
    """Add the names of a group of entry points, which no command but this one has to read."""
    if not group:
        return [*names]
    from importlib.metadata import entry_points

    return sorted({*names, *entry_points(group=group).names})


def _checking(names: Sequence[str], plugins: str = "", forms: Sequence[str] = ()) -> Any:
    prefixes = tuple(form.partition(":")[0] + ":" for form in forms)

    def check(parameter: typer.CallbackParam, value: Any) -> Any:
        for name in [value] if isinstance(value, str) else value or ():
            if not name or name in names or name.startswith(prefixes):
                continue
            if name not in (known := [*_with_plugins(names, plugins), *forms]):
                raise UnknownNameError(f"value of {max(parameter.opts, key=len)}", name, known)
        return value

    return check


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _in_words(text: str, options: Set[str]) -> str:
    """Write the docstring's code as a shell's user knows it: ``min_gap`` is --min-gap."""
    return re.sub(
        r"`+(.*?)`+", lambda code: _flag(code[1]) if code[1] in options else code[1], text
    )
