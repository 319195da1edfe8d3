"""The colours of labels and senses: the same in heat map, report, figures and notebook."""

from __future__ import annotations

import zlib

from avloc.labels import LabelSet

Colour = tuple[int, int, int]

HEARD: Colour = (240, 190, 90)
SEEN: Colour = (110, 190, 235)
"""Bars of what each sense alone says; a light page has darker ones, in report.css."""
SENSE_COLOURS: dict[str, Colour] = {
    "heard": HEARD,
    "seen": SEEN,
    "both": (150, 214, 140),
    "unknown": (200, 203, 210),
}
"""Grounds of the letter of a sense: all of them are light, and the letter is black."""
GATE: Colour = (140, 146, 158)
"""Bars of the sentinel gates."""

# Ten colours that people of any colour vision can distinguish (Petroff 2021). Its two greys,
# which look like "no event", are replaced by the fourth and ninth, green and magenta.
_PALETTE: tuple[Colour, ...] = (
    (63, 144, 218),
    (255, 169, 14),
    (189, 31, 1),
    (0, 191, 153),
    (131, 45, 182),
    (169, 107, 89),
    (231, 99, 0),
    (185, 172, 112),
    (200, 40, 130),
    (146, 218, 221),
)
_TURNS = ((0.0, 255), (0.45, 255), (0.35, 0))  # past ten labels: lighter, then darker

_EVEN_LIGHT = (1.05 * 0.05) ** 0.5 - 0.05  # as far from black as from white


def label_colour(label: str, labels: LabelSet) -> Colour:
    """Return a label's colour: by its class index, or by its name if the model does not know it."""
    known = label in labels.names
    number = labels.index(label) if known else zlib.crc32(label.encode("utf-8", "replace"))
    share, towards = _TURNS[number // len(_PALETTE) % len(_TURNS)]
    red, green, blue = _PALETTE[number % len(_PALETTE)]
    return _mixed(red, towards, share), _mixed(green, towards, share), _mixed(blue, towards, share)


def ink_on(colour: Colour) -> Colour:
    """Return black or white, whichever has the greater contrast on a colour (WCAG 2.1)."""
    weights = (0.2126, 0.7152, 0.0722)
    light = sum(w * _linear(channel / 255) for w, channel in zip(weights, colour, strict=True))
    return (0, 0, 0) if light > _EVEN_LIGHT else (255, 255, 255)


def faded(colour: Colour, opacity: float, ground: Colour) -> Colour:
    """Return how a colour looks on a ground with an opacity in [0, 1]."""
    red, green, blue = (
        _mixed(below, above, opacity) for below, above in zip(ground, colour, strict=True)
    )
    return red, green, blue


def as_hex(colour: Colour) -> str:
    """Return ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mixed(channel: int, towards: int, share: float) -> int:
    return round(channel + share * (towards - channel))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
