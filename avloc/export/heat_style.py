"""How a heat map looks. The command line reads the defaults, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class HeatStyle:
    """How a heat map looks."""

    colormap: str = "turbo"  # a matplotlib name
    alpha: float = 0.55  # opacity from 0 to 1 where the map is strongest

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise UsageError(f"alpha is an opacity from 0 to 1, not {self.alpha}")
        if self.colormap != HeatStyle.colormap:
            from matplotlib import colormaps

            if self.colormap not in colormaps:
                raise UnknownNameError("heat-map style", self.colormap, colormaps)


DEFAULT_STYLE = HeatStyle()
