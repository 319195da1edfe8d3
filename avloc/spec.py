"""What makes features what they are, and the fingerprint that tells different ones apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, Literal, get_args

from avloc.errors import UnknownNameError, UsageError

Precision = Literal["fp32", "fp16", "bf16"]
SAMPLINGS = ("pts", "ave2018")
DEFAULT_VISUAL = "resnet152"
DEFAULT_AUDIO = "vggish"
"""The encoders that features are made with unless others are named."""
PUBLISHED_VISUAL, PUBLISHED_AUDIO = "published-visual", "published-audio"
"""Stand for the unknown encoders of published features; no encoder has these names."""
_LATER = {"later": True}  # marks a field that is left out of a file where it is empty
_MOST_FPS, _MOST_SECONDS = 1000, 1e6
_MOST_PIXELS = 10**6  # along one side


@dataclass(frozen=True)
class FeatureSpec:
    """Everything that changes a feature's numbers; nothing that does not.

    `UsageError` for a rate, a segment length or a size that no features file may have.
    """

    visual: str  # the encoder's name; empty without one
    visual_weights: str  # sha256 of the weights file; empty without one
    audio: str
    audio_weights: str
    fps: int = 16  # r, frames sampled a second
    sampling: str = "pts"  # the rule that picks a sample's frame, of `SAMPLINGS`
    segment_seconds: float = 1.0
    size: tuple[int, int] = (224, 224)  # (height, width) of the resized picture
    resize: str = "squash-bilinear"
    resampler: str = "kaiser-64"  # brings sound to the front end's rate
    front_end: str = "vggish-96x64"  # what an audio encoder is given of a segment
    precision: Precision = "fp32"  # see `avloc.features.precision`
    rules: int = 2  # raised when this package's code changes the numbers in any other way
    # Of models from a hub. Specs that lack these fields have the same fingerprint as before.
    visual_revision: str = field(default="", metadata=_LATER)  # the commit
    audio_revision: str = field(default="", metadata=_LATER)
    visual_layer: str = field(default="", metadata=_LATER)  # what of the network is taken
    audio_layer: str = field(default="", metadata=_LATER)
    # These do not change a number, and are not in the fingerprint.
    visual_licence: str = field(default="", compare=False, metadata=_LATER)  # of the weights
    audio_licence: str = field(default="", compare=False, metadata=_LATER)

    def __post_init__(self) -> None:
        is_possible = 1 <= self.fps <= _MOST_FPS and 0 < self.segment_seconds <= _MOST_SECONDS
        n_frames = self.fps * self.exact_segment_seconds if is_possible else Fraction(0)
        if n_frames < 1 or n_frames.denominator > 1:
            raise UsageError(
                f"cannot sample {self.fps} frames a second in segments of {self.segment_seconds} s",
                f"Give 1 to {_MOST_FPS} frames per second, a whole number of them per segment.",
            )
        if not all(1 <= side <= _MOST_PIXELS for side in self.size):
            raise UsageError(f"cannot resize a picture to {self.size[0]} x {self.size[1]} pixels")
        for name, known in (("sampling", SAMPLINGS), ("precision", get_args(Precision))):
            if getattr(self, name) not in known:
                raise UnknownNameError(name, getattr(self, name), known)

    @property
    def fingerprint(self) -> str:
        """The first 16 hex digits of the sha256 of the spec's canonical JSON."""
        values = self.without_licences().as_dict()
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def encoders(self) -> tuple[str, ...]:
        """The names of the encoders, the visual one first."""
        return tuple(name for name in (self.visual, self.audio) if name)

    @property
    def is_published(self) -> bool:
        """Whether these are published features, whose encoders are unknown."""
        return self.visual == PUBLISHED_VISUAL or self.audio == PUBLISHED_AUDIO

    @property
    def exact_segment_seconds(self) -> Fraction:
        """A segment's exact length, for a `Grid`."""
        return Fraction(self.segment_seconds).limit_denominator(10**6)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a file has them."""
        values = asdict(self)
        empty = {entry.name for entry in fields(self) if entry.metadata and not values[entry.name]}
        return {name: value for name, value in values.items() if name not in empty}

    def without_licences(self) -> FeatureSpec:
        """Return the spec with what changes numbers only."""
        return replace(self, visual_licence="", audio_licence="")

    def differences(self, other: FeatureSpec) -> str:
        """Say in words where two specs differ: ``fps: 16 here, 8 there; ...``."""
        values, others = asdict(self.without_licences()), asdict(other.without_licences())
        return "; ".join(
            f"{name}: {values[name]} here, {others[name]} there"
            for name in values
            if values[name] != others[name]
        )
