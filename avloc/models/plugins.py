"""Models of other packages: the entry points of the group ``avloc.models``.

A package's pyproject.toml names its models; nothing of it is imported before a model is asked for::

    [project.entry-points."avloc.models"]
    average = "my_package.average:Average"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from avloc.errors import DependencyError, UsageError
from avloc.models.model import Model, ModelOptions

GROUP = "avloc.models"


def plugin_names() -> list[str]:
    """Return the names of the models that installed packages offer, loadable or not."""
    return sorted(entry_points(group=GROUP).names)


def plugin_package(name: str) -> str:
    """Return the package that offers a model and its version: ``my-models 1.0``."""
    return ", ".join(sorted({_package(entry) for entry in entry_points(group=GROUP, name=name)}))


def is_of_plugin(name: str, module: str) -> bool:
    """Tell whether a module belongs to a package that offers a model of this name."""
    top = module.partition(".")[0]
    return any(e.module.partition(".")[0] == top for e in entry_points(group=GROUP, name=name))


def load_plugin(name: str) -> type[Model]:
    """Import the model of this name that an installed package offers.

    Raises:
        DependencyError: it cannot be imported, is not a model, or two packages offer the name.
    """
    entries = list(entry_points(group=GROUP, name=name))
    packages = plugin_package(name)
    if len({entry.value for entry in entries}) != 1:
        raise DependencyError(
            f"several packages offer a model {name!r}: {packages}", "Uninstall all but one of them."
        )
    try:
        loaded = entries[0].load()
    except Exception as error:  # whatever a package does when it is imported
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DependencyError(
            f"the model {name!r} of the package {packages} cannot be imported "
            f"({entries[0].value}): {reason:.300}",
            f"Install what it needs, or uninstall {packages}.",
        ) from error
    try:
        check_model(loaded, f"the model {name!r} of the package {packages}")
    except UsageError as error:
        raise DependencyError(error.message, error.hint) from None
    return loaded  # type: ignore[no-any-return]


def check_model(candidate: object, what: str) -> None:
    """Raise a UsageError if this is not a class that `build` can use; ``what`` names it."""
    if not (isinstance(candidate, type) and issubclass(candidate, Model)):
        raise UsageError(
            f"{what} is not a model: {candidate!r:.200}", "It must be a subclass of Model."
        )
    config = getattr(candidate, "Config", None)
    if not (isinstance(config, type) and issubclass(config, ModelOptions)):
        raise UsageError(
            f"{what} has no options: {candidate!r:.200}",
            "Its class attribute Config must be a frozen dataclass derived from ModelOptions.",
        )


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
