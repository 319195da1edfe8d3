"""Options: a frozen dataclass whose fields carry their help, choices and range.

One place for each default: command line, recipes and documentation read these fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from avloc.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OVERWRITE = ("stale", "always", "never")
"""Which files are made anew: those that no longer follow from their sources, all, or none."""
Options = TypeVar("Options", bound="DataclassInstance")


def option(
    default: Any = MISSING,
    *,
    help: str,
    choices: tuple[str, ...] = (),
    minimum: int | float | None = None,
    maximum: int | float | None = None,
    is_derived: bool = False,
) -> Any:
    """Declare one option as a dataclass field.

    Args:
        default: its value when none is given; without one it must be given.
        help: one line for a reader.
        choices: the names it may take, empty for any.
        minimum: the least number it may be.
        maximum: the greatest number it may be.
        is_derived: it follows from the data, so no list of settings offers it.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "is_derived": is_derived,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class OptionLine:
    """One option in words, for a list of settings.

    Attributes:
        name: the option.
        default: its default, as it would be written.
        values: what it may be: a range, names, or the kind of value.
        help: what it is.
    """

    name: str
    default: str
    values: str
    help: str


def describe_options(kind: type[DataclassInstance]) -> list[OptionLine]:
    """Return the options of a dataclass that a user may set, in their order."""
    hints = get_type_hints(kind)
    return [
        OptionLine(
            entry.name,
            _as_written(entry.default),
            _values_in_words(entry, hints[entry.name]),
            entry.metadata["help"],
        )
        for entry in fields(kind)
        if entry.default is not MISSING and not entry.metadata["is_derived"]
    ]


def _as_written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values_in_words(entry: Field[Any], hint: Any) -> str:
    limits = entry.metadata
    if limits["choices"]:
        return ", ".join(limits["choices"])
    low, high = limits["minimum"], limits["maximum"]
    if low is not None and high is not None:
        return f"{_KINDS[str(hint)]}, {low} to {high}"
    return ", ".join([_KINDS[str(hint)], *_range_parts(entry)])


def options_from(kind: type[Options], given: Mapping[str, object]) -> Options:
    """Make options from names and values; text is read as the field's type.

    Args:
        kind: the dataclass.
        given: values by field name, as Python values or as text (``"true"``, ``"0.5"``).

    Raises:
        UnknownNameError: no option has that name, or a choice is not one of its names.
        UsageError: a value is missing, of the wrong type, or out of range.
    """
    hints = get_type_hints(kind)
    known = {entry.name: entry for entry in fields(kind)}
    for name in given:
        if name not in known:
            offered = [key for key in known if not known[key].metadata.get("is_derived")]
            raise UnknownNameError("option", name, offered)
    for name, entry in known.items():
        if name not in given and entry.default is MISSING and entry.default_factory is MISSING:
            raise UsageError(f"the option {name!r} must be given: {entry.metadata['help']}")
    return kind(**{name: _read(known[name], hints[name], value) for name, value in given.items()})


Settings = Mapping[str, object] | Sequence[str]
"""Options by name: ``{"epochs": 20}``, or ``["epochs=20"]`` as on the command line."""


def values_of(settings: Settings, example: str) -> dict[str, object]:
    """Read ``key=value`` settings as values by name; the last of a name counts.

    Args:
        settings: the texts, or values by name, which stay as they are.
        example: a correct one, for the error.

    Raises:
        UsageError: a setting is not ``key=value``.
    """
    if isinstance(settings, Mapping):
        return dict(settings)
    values: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(
                f"{setting!r} is not KEY=VALUE",
                f"For example --set {example}. --settings lists the names.",
            )
        values[key] = value
    return values


def check_options(options: DataclassInstance) -> None:
    """Check every field against its choices and range; for ``__post_init__``.

    Raises:
        UnknownNameError: a choice is not one of its names.
        UsageError: a number is out of range.
    """
    for entry in fields(options):
        value, limits = getattr(options, entry.name), entry.metadata
        if limits.get("choices") and value not in limits["choices"]:
            raise UnknownNameError(f"{entry.name} choice", str(value), limits["choices"])
        low, high = limits.get("minimum"), limits.get("maximum")
        for number in value if isinstance(value, tuple) else (value,):
            if (low is not None and not number >= low) or (high is not None and not number <= high):
                raise UsageError(f"{entry.name} is {value}", _range_in_words(entry))


def _range_in_words(entry: Field[Any]) -> str:
    return f"It must be {' and '.join(_range_parts(entry))}: {entry.metadata['help']}."


def _range_parts(entry: Field[Any]) -> list[str]:
    low, high = entry.metadata["minimum"], entry.metadata["maximum"]
    parts = [f"at least {low}"] if low is not None else []
    return [*parts, f"at most {high}"] if high is not None else parts


def _read(entry: Field[Any], hint: Any, value: object) -> object:
    try:
        return _READERS[str(hint)](value)
    except (TypeError, ValueError):
        name = getattr(hint, "__name__", str(hint)) if hint in (bool, int, float, str) else hint
        raise UsageError(
            f"{entry.name} cannot be {value!r}: it takes {name}", f"It is {entry.metadata['help']}."
        ) from None


def _read_bool(value: object) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool):
        return value
    raise ValueError(value)


def _read_int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    return int(value)


def _read_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    return float(value)


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _read_ints(value: object) -> tuple[int, ...]:
    parts = [part for part in value.split(",") if part] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise TypeError(value)
    return tuple(_read_int(part) for part in parts)


_READERS: dict[str, Callable[[object], object]] = {
    str(bool): _read_bool,
    str(int): _read_int,
    str(float): _read_float,
    str(str): _read_text,
    str(tuple[int, ...]): _read_ints,
}
_KINDS = {
    str(bool): "true or false",
    str(int): "whole number",
    str(float): "number",
    str(str): "text",
    str(tuple[int, ...]): "whole numbers separated by commas",
    str(tuple[str, ...]): "names",
}
