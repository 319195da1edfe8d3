"""The settings of an artificial data set."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.errors import UsageError
from avloc.options import check_options, option

MIN_EVENT_SECONDS = 2
MAX_CLASSES = 10
"""The number of looks and sounds with formulas; folders may hold more classes."""


@dataclass(frozen=True)
class SynthesisConfig:
    """The settings of an artificial data set.

    A clip depends on the seed, its split and its number there: a data set can be extended.

    By default a clip has one event, which is seen and heard, and the data set has AVE's layout.
    With ``events`` above 1, or a share of ``heard_only``, ``seen_only`` or ``late``, labels are
    independent: a clip has several events, and a manifest says which sense knows each.
    ``inconsistent_seconds`` makes clips of one event for the study of inconsistency.
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
        help="share of clips whose source is seen and heard at different times; "
        "no effect with several events",
        minimum=0,
        maximum=1,
    )
    silent: float = option(
        0.7,
        help="share of clips with silent objects beside the source; no effect with several events",
        minimum=0,
        maximum=1,
    )
    offscreen: float = option(
        0.6,
        help="share of clips with a sound from off screen; no effect with several events",
        minimum=0,
        maximum=1,
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
    events: int = option(
        1, help="most events in a clip, each of its own class", minimum=1, maximum=10
    )
    heard_only: float = option(
        0.0, help="share of events that are heard from off screen", minimum=0, maximum=1
    )
    seen_only: float = option(
        0.0, help="share of events that are seen and silent", minimum=0, maximum=1
    )
    late: float = option(
        0.0, help="share of events whose sound comes later than the picture", minimum=0, maximum=1
    )
    late_seconds: int = option(
        2, help="how much later that sound comes, in seconds", minimum=1, maximum=58
    )
    overlap: float = option(
        0.5, help="share of clips whose events overlap in time", minimum=0, maximum=1
    )
    inconsistent_seconds: float = option(
        -1.0,
        help="share of seconds in which sound and picture disagree, beside one event; "
        "-1: left to inconsistent, silent and offscreen",
        minimum=-1,
        maximum=1,
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
        _check_senses(self)

    @property
    def is_independent(self) -> bool:
        """Whether a clip may have several events, or events that one sense alone knows."""
        return self.events > 1 or self.heard_only + self.seen_only + self.late > 0


def _check_senses(config: SynthesisConfig) -> None:
    """Refuse settings of the senses that contradict each other."""
    share = config.heard_only + config.seen_only + config.late
    if share > 1 + 1e-9:
        raise UsageError(
            f"heard_only, seen_only and late add up to {share:g}", "Give shares of 1 together."
        )
    if config.events > config.n_classes:
        raise UsageError(
            f"{config.events} events need as many classes, got {config.n_classes}",
            "Each event of a clip has its own class: ask for more classes.",
        )
    _check_times(config)
    if config.inconsistent_seconds < 0:
        if config.inconsistent_seconds != -1:
            raise UsageError(
                f"inconsistent_seconds is {config.inconsistent_seconds:g}",
                "It is a share, 0 to 1, or -1 for none.",
            )
        return
    if config.is_independent:
        raise UsageError(
            "inconsistent_seconds is for clips of one event that is seen and heard",
            "Leave out events, heard_only, seen_only and late.",
        )
    if config.n_classes < 3:
        raise UsageError("inconsistent_seconds needs 3 classes, to show one and play another")


def _check_times(config: SynthesisConfig) -> None:
    """Refuse more or longer events than fit into a clip."""
    needed = MIN_EVENT_SECONDS + (config.late_seconds if config.late else 0)
    n_in_turn = config.events if config.overlap < 1 else 1
    if config.is_independent and n_in_turn * needed > config.seconds:
        raise UsageError(
            f"{n_in_turn} events of {needed} s in turn do not fit into {config.seconds} s",
            "Ask for longer clips, fewer events, a smaller late_seconds, or overlap=1.",
        )
