"""Options: a frozen dataclass whose fields carry their default, help, choices and range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

from avloc.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OVERWRITE = ("stale", "always", "never")
"""Which files are made anew: those that no longer follow from their sources, all, or none."""
Options = TypeVar("Options", bound="DataclassInstance")
Settings = Mapping[str, object] | Sequence[str]
"""Options by name: ``{"epochs": 20}``, or ``["epochs=20"]`` as on the command line."""
_KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    tuple[int, ...]: "whole numbers separated by commas",
    tuple[str, ...]: "names",
}
_BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True)
_BOOLEANS |= dict.fromkeys(("false", "no", "off", "0"), False)


def option(
    default: Any = MISSING,
    *,
    help: str,
    choices: tuple[str, ...] = (),
    minimum: int | float | None = None,
    maximum: int | float | None = None,
    is_derived: bool = False,
) -> Any:
    """Declare one option as a dataclass field; without a default it must be given.

    An ``is_derived`` option follows from the data, so no list of settings offers it.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "is_derived": is_derived,
    }
    return field(default=default, metadata=metadata)


class OptionLine(NamedTuple):
    """One option in words."""

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
            _as_text(entry.default),
            _values_in_words(entry, hints[entry.name]),
            entry.metadata["help"],
        )
        for entry in fields(kind)
        if entry.default is not MISSING and not entry.metadata["is_derived"]
    ]


def options_from(kind: type[Options], given: Mapping[str, object]) -> Options:
    """Make options from values by field name; text (``"0.5"``) is read as the field's type.

    `UnknownNameError` for an unknown option or choice, `UsageError` for any other bad value.
    """
    known = {entry.name: entry for entry in fields(kind)}
    for name in given:
        if name not in known:
            offered = [key for key in known if not known[key].metadata.get("is_derived")]
            raise UnknownNameError("option", name, offered)
    for name, entry in known.items():
        if name not in given and entry.default is MISSING and entry.default_factory is MISSING:
            raise UsageError(f"the option {name!r} must be given: {entry.metadata['help']}")
    hints, values = get_type_hints(kind), {}
    for name, value in given.items():
        hint = hints[name]
        try:
            values[name] = _read(hint, value)
        except (TypeError, ValueError):
            expected = hint.__name__ if hint in (bool, int, float, str) else hint
            raise UsageError(
                f"{name} cannot be {value!r}: it takes {expected}",
                f"It is {known[name].metadata['help']}.",
            ) from None
    return kind(**values)


def values_of(settings: Settings, example: str) -> dict[str, object]:
    """Read ``key=value`` settings as values by name; the last of a name counts."""
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
    """Check every field against its choices and range; for ``__post_init__``."""
    for entry in fields(options):
        value, limits = getattr(options, entry.name), entry.metadata
        if limits.get("choices") and value not in limits["choices"]:
            raise UnknownNameError(f"{entry.name} choice", str(value), limits["choices"])
        low, high = limits.get("minimum"), limits.get("maximum")
        for number in value if isinstance(value, tuple) else (value,):
            if (low is not None and not number >= low) or (high is not None and not number <= high):
                allowed = " and ".join(_range_in_words(entry))
                raise UsageError(
                    f"{entry.name} is {value}", f"It must be {allowed}: {limits['help']}."
                )


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values_in_words(entry: Field[Any], hint: Any) -> str:
    low, high = entry.metadata["minimum"], entry.metadata["maximum"]
    if entry.metadata["choices"]:
        return ", ".join(entry.metadata["choices"])
    if low is not None and high is not None:
        return f"{_KINDS[hint]}, {low} to {high}"
    return ", ".join([_KINDS[hint], *_range_in_words(entry)])


def _range_in_words(entry: Field[Any]) -> list[str]:
    low, high = entry.metadata["minimum"], entry.metadata["maximum"]
    words = [f"at least {low}"] if low is not None else []
    return [*words, f"at most {high}"] if high is not None else words


def _read(hint: Any, value: Any) -> object:
    if hint == tuple[int, ...]:
        parts = [part for part in value.split(",") if part] if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise TypeError(value)
        return tuple(_read(int, part) for part in parts)
    if hint is bool and isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    accepted = {bool: bool, int: int | str, float: int | float | str, str: str}[hint]
    if not isinstance(value, accepted) or isinstance(value, bool) != (hint is bool):
        raise TypeError(value)
    return hint(value)
