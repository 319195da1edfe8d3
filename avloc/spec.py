"""What makes features what they are, and the fingerprint that keeps different ones apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Literal, get_args

from avloc.errors import UnknownNameError, UsageError

Precision = Literal["fp32", "fp16"]
SAMPLINGS = ("pts", "ave2018")
PUBLISHED_VISUAL, PUBLISHED_AUDIO = "published-visual", "published-audio"
"""Stand for the unknown encoders of published features; no encoder has these names."""
_MOST_FPS, _MOST_SECONDS = 1000, 1e6
_MOST_PIXELS = 10**6  # along one side


@dataclass(frozen=True)
class FeatureSpec:
    """Everything that changes a feature's numbers; nothing that does not.

    Attributes:
        visual: the visual encoder's name; empty without one.
        visual_weights: the sha256 of its weights file, empty if it has none.
        audio: the audio encoder's name; empty without one.
        audio_weights: the sha256 of its weights file, empty if it has none.
        fps: r, frames sampled a second.
        sampling: the rule that picks a sample's frame: ``pts`` or ``ave2018``.
        segment_seconds: a segment's length.
        size: (height, width) to which the picture is resized.
        resize: the rule that resizes it.
        resampler: the rule that brings sound to 16 kHz.
        front_end: the rule that makes a log-mel patch of a second.
        precision: the arithmetic's class (see `avloc.features.precision`).
        rules: raised when this package's code changes the numbers in any other way.

    Raises:
        UsageError: a rate, a segment's length or a size that no features file may have.
        UnknownNameError: unknown sampling or precision.
    """

    visual: str
    visual_weights: str
    audio: str
    audio_weights: str
    fps: int = 16
    sampling: str = "pts"
    segment_seconds: float = 1.0
    size: tuple[int, int] = (224, 224)
    resize: str = "squash-bilinear"
    resampler: str = "kaiser-64"
    front_end: str = "vggish-96x64"
    precision: Precision = "fp32"
    rules: int = 2

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
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
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
        """A segment's length as the grid wants it."""
        return Fraction(self.segment_seconds).limit_denominator(10**6)

    def differences(self, other: FeatureSpec) -> str:
        """Say in words where two specs differ: ``fps: 16 here, 8 there; ...``."""
        here, there = asdict(self), asdict(other)
        return "; ".join(
            f"{name}: {here[name]} here, {there[name]} there"
            for name in here
            if here[name] != there[name]
        )
