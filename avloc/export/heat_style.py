"""How a heat map looks. The command line reads the defaults, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class HeatStyle:
    """How a heat map looks.

    Attributes:
        colormap: the name of a matplotlib colour map.
        alpha: opacity from 0 to 1 where the map is strongest.
    """

    colormap: str = "turbo"
    alpha: float = 0.55

    def __post_init__(self) -> None:
        """Refuse an unknown colour map and an opacity out of range."""
        if not 0 <= self.alpha <= 1:
            raise UsageError(f"alpha is an opacity from 0 to 1, not {self.alpha}")
        if self.colormap != HeatStyle.colormap:
            from matplotlib import colormaps

            if self.colormap not in colormaps:
                raise UnknownNameError("heat-map style", self.colormap, colormaps)


DEFAULT_STYLE = HeatStyle()
