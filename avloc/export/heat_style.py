"""How a heat map looks, in words that cost no import."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UsageError

STYLE = "turbo"
ALPHA = 0.55


@dataclass(frozen=True)
class HeatStyle:
    """How a heat map looks.

    Attributes:
        style: a matplotlib colour map.
        alpha: opacity in [0, 1] where the map is strongest.
        background: the share of it that is kept where no event was found.
    """

    style: str = STYLE
    alpha: float = ALPHA
    background: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a colour map or an opacity that is none.

        Raises:
            UnknownNameError: there is no such colour map. UsageError: a number is not in [0, 1].
        """
        for name in ("alpha", "background"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is an opacity from 0 to 1, not {getattr(self, name)}")
        if self.style != STYLE:
            from avloc.export.pictures import check_style  # costs matplotlib

            check_style(self.style, self.alpha)
