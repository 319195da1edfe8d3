"""A function's parameters as its source has them: types, defaults and what the docstring says.

The source is read because importing a stage would import torch, and ``avloc train --help``
answers in a tenth of a second.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REQUIRED = inspect.Parameter.empty
"""The default of a parameter that has none."""
_PACKAGE = Path(__file__).parents[1]
_KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "Path": Path}
_KINDS |= {"Settings": str}  # avloc.options.Settings: KEY=VALUE, as often as needed
_KIND = re.compile(rf"\b({'|'.join(_KINDS)})\b")
_FIELD = re.compile(r"``(\w+)\.(\w+)``")
_ENTRY = re.compile(r"^    (\w+): (.+(?:\n     .*)*)", re.M)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function; `help` is its entry under ``Args:``, without the default."""

    name: str
    kind: type  # the first of bool, int, float, str and Path in its annotation
    is_list: bool
    is_positional: bool
    default: object  # REQUIRED if there is none
    choices: tuple[str, ...]  # of the dataclass's field that the default is
    help: str
    default_in_words: str  # what the entry says after "Default:"


def read_function(function: str) -> tuple[str, list[Parameter]]:
    """Return what a function of avloc does, and its parameters that a shell can give.

    Args:
        function: its dotted name, for example ``avloc.stages.train.train``.
    """
    module, _, name = function.rpartition(".")
    _, node = _definition(module, name)
    assert isinstance(node, ast.FunctionDef)
    positional, keyword_only = node.args.args, node.args.kwonlyargs
    n_required = len(positional) - len(node.args.defaults)
    defaults = [*[None] * n_required, *node.args.defaults, *node.args.kw_defaults]
    description, _, rest = (ast.get_docstring(node) or "").partition("\n\nArgs:\n")
    entries = dict(_ENTRY.findall(rest.partition("\n\n")[0]))
    parameters = []
    for argument, default in zip([*positional, *keyword_only], defaults, strict=True):
        annotation = ast.unparse(argument.annotation or ast.Constant(""))
        kinds = _KIND.findall(annotation)
        if not kinds or "Callable" in annotation:
            continue
        value, choices = _value(module, default) if default else (REQUIRED, ())
        text, _, words = " ".join(entries[argument.arg].split()).partition(" Default: ")
        words = _FIELD.sub(lambda match: str(_field(module, *match.groups())[0]), words)
        parameters.append(
            Parameter(
                name=argument.arg,
                kind=_KINDS[kinds[0]],
                is_list=bool(re.search(r"Sequence|Settings", annotation)),
                is_positional=argument in positional,
                default=value,
                choices=choices,
                help=text,
                default_in_words=words.rstrip("."),
            )
        )
    return description, parameters


def read_names(constant: str) -> tuple[str, ...]:
    """Return the names in a tuple, or the keys of a dict, that avloc defines.

    Args:
        constant: its dotted name, for example ``avloc.spec.SAMPLINGS``.
    """
    module, _, name = constant.rpartition(".")
    _, node = _definition(module, name)
    if isinstance(node, ast.Dict):
        node = ast.Tuple([key for key in node.keys if key])
    return tuple(ast.literal_eval(node))


@cache
def _tree(module: str) -> ast.Module:
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _definition(module: str, name: str) -> tuple[str, ast.AST]:
    """Find what a name of a module stands for, and the module that defines it."""
    for node in _tree(module).body:
        match node:
            case ast.ImportFrom(module=str(source), names=names):
                for imported in names:
                    if name == (imported.asname or imported.name):
                        return _definition(source, imported.name)
            case ast.FunctionDef(name=defined) | ast.ClassDef(name=defined) if defined == name:
                return module, node
            case (
                ast.Assign(targets=[ast.Name(id=assigned)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=assigned), value=ast.expr() as value)
            ) if assigned == name:
                return module, value
    raise LookupError(f"{module} does not define {name}")


def _value(module: str, node: ast.AST) -> tuple[object, tuple[str, ...]]:
    """Return the value of a default, and its choices if it is a field of a dataclass."""
    match node:
        case ast.Name(id=name):
            return _value(*_definition(module, name))
        case ast.Attribute(value=ast.Name(id=dataclass), attr=name):
            return _field(module, dataclass, name)
    return ast.literal_eval(node), ()


def _field(module: str, dataclass: str, name: str) -> tuple[object, tuple[str, ...]]:
    """Return a field's default, and the choices that ``option(default, choices=...)`` lists."""
    for node in ast.walk(_definition(module, dataclass)[1]):
        match node:
            case ast.AnnAssign(target=ast.Name(id=field), value=ast.Call() as option):
                if field == name:
                    choices = [entry.value for entry in option.keywords if entry.arg == "choices"]
                    names = ast.literal_eval(choices[0]) if choices else ()
                    return ast.literal_eval(option.args[0]), names
            case ast.AnnAssign(target=ast.Name(id=field), value=ast.Constant(value=default)):
                if field == name:
                    return default, ()
    raise LookupError(f"{dataclass} has no field {name}")
