"""Every setting of a made data set, with its default and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from avloc.errors import UsageError

MAX_CLASSES = 10


def _setting(default: int | float, help_text: str, low: float, high: float) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True)
class SynthesisConfig:
    """What :func:`avloc.datasets.synthetic.synthesize` makes.

    Every field's ``metadata`` holds its ``help`` and the range ``low`` to ``high``, so that
    a command line can be built from this class. A clip depends on the seed, its split and its
    place in the split, never on how many clips there are: a data set can be extended.

    Raises:
        UsageError: a value is out of its range.
    """

    n_train: int = _setting(120, "training clips", 0, 99999)
    n_val: int = _setting(40, "validation clips", 0, 99999)
    n_test: int = _setting(40, "test clips", 0, 99999)
    n_classes: int = _setting(6, "classes, each a look with a sound", 2, MAX_CLASSES)
    seed: int = _setting(0, "random seed", 0, 2**63 - 1)
    width: int = _setting(192, "picture width in pixels, even", 96, 1920)
    height: int = _setting(144, "picture height in pixels, even", 96, 1080)
    fps: int = _setting(8, "frames per second", 1, 60)
    seconds: int = _setting(10, "length of a clip", 4, 60)
    sound_rate: int = _setting(16000, "sound samples per second", 16000, 48000)
    inconsistent: float = _setting(
        0.6, "share of clips whose source is seen and heard at different times", 0, 1
    )
    silent: float = _setting(0.7, "share of clips with silent objects beside the source", 0, 1)
    offscreen: float = _setting(0.6, "share of clips with a sound from off screen", 0, 1)
    over_centre: float = _setting(0.1, "share of clips whose source may cover the centre", 0, 1)
    picture_noise: float = _setting(6.0, "deviation of the picture's noise in grey levels", 0, 64)
    sound_noise: float = _setting(0.3, "noise beside the source's sound, mean amplitude", 0, 4)

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            low, high = setting.metadata["low"], setting.metadata["high"]
            if not low <= value <= high:
                raise UsageError(f"{setting.name} is {value}, not between {low} and {high}")
        if self.width % 2 or self.height % 2:
            raise UsageError(f"a picture's sides must be even, got {self.width} x {self.height}")
        if not 1 <= self.width / self.height <= 3:
            raise UsageError(f"{self.width} x {self.height} is no landscape picture")

    @property
    def n_frames(self) -> int:
        """Frames in a clip."""
        return self.fps * self.seconds

    @property
    def n_samples(self) -> int:
        """Sound samples in a clip."""
        return self.sound_rate * self.seconds

    def size_of(self, split: str) -> int:
        """Return the number of clips in a split."""
        return {"train": self.n_train, "val": self.n_val, "test": self.n_test}[split]
