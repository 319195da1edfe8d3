"""The settings of an artificial data set."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UsageError
from avloc.options import check_options, option

MAX_CLASSES = 10
"""The number of looks and sounds with formulas; folders may hold more classes."""


@dataclass(frozen=True)
class SynthesisConfig:
    """The settings of an artificial data set.

    A clip depends on the seed, its split and its number there: a data set can be extended.
    """

    n_train: int = option(120, help="training clips", minimum=0, maximum=99999)
    n_val: int = option(40, help="validation clips", minimum=0, maximum=99999)
    n_test: int = option(40, help="test clips", minimum=0, maximum=99999)
    n_classes: int = option(6, help="classes, each a look with a sound", minimum=2, maximum=99999)
    seed: int = option(0, help="random seed", minimum=0, maximum=2**63 - 1)
    width: int = option(192, help="picture width in pixels, even", minimum=96, maximum=1920)
    height: int = option(144, help="picture height in pixels, even", minimum=96, maximum=1080)
    fps: int = option(8, help="frames per second", minimum=1, maximum=60)
    seconds: int = option(10, help="length of a clip in seconds", minimum=4, maximum=60)
    sound_rate: int = option(16000, help="sound samples per second", minimum=16000, maximum=48000)
    inconsistent: float = option(
        0.6,
        help="share of clips whose source is seen and heard at different times",
        minimum=0,
        maximum=1,
    )
    silent: float = option(
        0.7, help="share of clips with silent objects beside the source", minimum=0, maximum=1
    )
    offscreen: float = option(
        0.6, help="share of clips with a sound from off screen", minimum=0, maximum=1
    )
    over_centre: float = option(
        0.1, help="share of clips whose source may cover the centre", minimum=0, maximum=1
    )
    picture_noise: float = option(
        6.0, help="standard deviation of the picture's noise in grey levels", minimum=0, maximum=64
    )
    sound_noise: float = option(
        0.3, help="noise beside the source's sound, mean amplitude", minimum=0, maximum=4
    )
    object_size: float = option(
        1.0, help="factor on the size of every object", minimum=0.25, maximum=2
    )
    offscreen_gain: float = option(
        0.0, help="how much louder sounds from off screen are, in dB", minimum=-40, maximum=40
    )
    media: str = option(
        "",
        help="digest of the photographs and recordings, set by their folders; empty when drawn",
        is_derived=True,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if not self.media and self.n_classes > MAX_CLASSES:
            raise UsageError(
                f"n_classes is {self.n_classes}", f"There are {MAX_CLASSES} drawn classes at most."
            )
        if self.width % 2 or self.height % 2:
            raise UsageError(f"a picture's sides must be even, got {self.width} x {self.height}")
        if not 1 <= self.width / self.height <= 3:
            raise UsageError(f"{self.width} x {self.height} is not a landscape picture")
