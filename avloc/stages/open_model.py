"""The stage ``open``: labels in, a model that needs no training out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from avloc.artifacts import ModelFile, write_model
from avloc.errors import AvlocError, DependencyError, WeightsError
from avloc.events import DEFAULT_THRESHOLD
from avloc.features import Encoders, WeightsPolicy, load_encoders
from avloc.features.architectures import Sense
from avloc.features.hub.names import is_hub_name
from avloc.labels import LabelSet
from avloc.localizer import Localizer
from avloc.models import build, state_arrays
from avloc.stages.asked_labels import (
    MOST_NAMED,
    clean_labels,
    nothing_known,
    nothing_matches,
    one_sense_only,
    read_lines,
)
from avloc.stages.label_heads import (
    RIVALS,
    LabelHead,
    tagger_head,
    text_label_head,
    usable,
)
from avloc.stages.own_background import with_background
from avloc.stages.workspace import OPEN_MODEL, Workspace
from avloc.vocabulary import (
    SOUNDING_THINGS,
    LabelMapping,
    map_labels,
    read_corrections,
)

VISUAL = "efficientnet-lite0"
AUDIO = "efficientat-mn04"
"""The small pair: it runs on a laptop's CPU."""
FPS = 2
VOCABULARY_THRESHOLD = 0.8
"""Of the labels that nobody asked for: of so many, one is above the usual threshold by chance."""
_WITHOUT_WEIGHTS = {"visual": "colours", "audio": "logmel"}  # stand for what is not to be had
_OTHER: dict[Sense, str] = {"visual": "sound", "audio": "picture"}
_WINDOW = 600  # segments that are scored at once; a segment needs no other
_MOST_FPS = 120


@dataclass(frozen=True)
class OpenModel:
    """A model of labels that were never trained.

    Attributes:
        file: the model, as a model file holds it.
        mappings: what each label became.
        notes: what a user should know of it, a line each.
        encoders: the encoders that it reads out.
        path: its file; None where it was not written.
    """

    file: ModelFile
    mappings: tuple[LabelMapping, ...]
    notes: tuple[str, ...]
    encoders: Encoders
    path: Path | None = None

    def localizer(self) -> Localizer:
        """Return what localizes its labels in videos."""
        return Localizer(self.file, self.encoders)


def open_model(
    *,
    labels: Sequence[str] = (),
    labels_file: Path | str | None = None,
    map: Path | str | None = None,
    background: Path | str | None = None,
    visual: str = VISUAL,
    audio: str = AUDIO,
    fps: int | None = None,
    segment_seconds: float = 1.0,
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    artifacts: Path | str | None = None,
) -> OpenModel:
    """Make a model of any labels, without training.

    Pretrained encoders know many classes. A label is looked up among them: `show` prints which
    classes stand for it. The model is written to models/open.h5 in the workspace, and avloc
    localize uses it.

    Args:
        labels: What to look for. Default: some 150 things that can be heard and seen.
        labels_file: A text file with more labels, one a line.
        map: A TOML file that says which classes stand for a label.
        background: A feature store of your videos: labels are compared with what they score
            there, too.
        visual: The visual encoder.
        audio: The audio encoder.
        fps: Frames sampled per second. Default: 2, or more where segments are short.
        segment_seconds: Length of a segment. Shorter segments give finer event times.
        device: Where the networks run.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.

    Raises:
        UsageError: a label is empty, or no label matches anything that the encoders know.
        WeightsError: the weights of neither encoder can be had.
        OutputError: the model cannot be written.
    """
    path = Workspace.at(artifacts).new_model(OPEN_MODEL)
    names = [*labels, *(read_lines(Path(labels_file)) if labels_file is not None else ())]
    made = make_open_model(
        names,
        map=map,
        visual=visual,
        audio=audio,
        fps=fps,
        segment_seconds=segment_seconds,
        device=device,
        policy=WeightsPolicy(folder=weights, offline=offline),
    )
    if background is not None:
        made = replace(made, file=with_background(made.localizer(), Path(background)))
    write_model(path, made.file)
    return replace(made, path=path)


def make_open_model(
    labels: Sequence[str] = (),
    *,
    map: Path | str | None = None,
    visual: str = VISUAL,
    audio: str = AUDIO,
    fps: int | None = None,
    segment_seconds: float = 1.0,
    device: str = "auto",
    policy: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
) -> OpenModel:
    """Make the model of `open_model` in memory; no file is written."""
    asked = clean_labels(labels)
    names = asked or SOUNDING_THINGS
    label_set = LabelSet(tuple(names), kind="independent")
    rivals = [name for name in RIVALS if name not in names]
    fixed = read_corrections(Path(map)) if map is not None else None
    words = [*map_labels(names, fixed), *map_labels(rivals)]
    heads, lacking = _heads(words, {"visual": visual, "audio": audio}, policy)
    mappings = [usable(word, heads) for word in words[: len(names)]]
    unknown = [mapping for mapping in mappings if not mapping.heard and not mapping.seen]
    if len(unknown) == len(mappings):
        raise next(iter(lacking.values()), nothing_known(unknown))
    encoders = load_encoders(
        visual if "visual" in heads else _WITHOUT_WEIGHTS["visual"],
        audio if "audio" in heads else _WITHOUT_WEIGHTS["audio"],
        fps=fps or frame_rate(segment_seconds),
        segment_seconds=segment_seconds,
        device=device,
        weights=policy,
    )
    file = replace(
        _model_file(label_set, rivals, mappings, heads, encoders),
        thresholds=(DEFAULT_THRESHOLD if asked else VOCABULARY_THRESHOLD,) * len(names),
    )
    notes = [
        f"answers from the {_OTHER[sense]} alone: {error.message}. {error.hint}"
        for sense, error in lacking.items()
    ]
    if asked:
        notes += [nothing_matches(mapping) for mapping in unknown[:MOST_NAMED]]
        notes += one_sense_only(mappings) if not lacking else []
    return OpenModel(file, tuple(mappings), tuple(notes), encoders)


def frame_rate(segment_seconds: float) -> int:
    """Return the frames a second of which a segment has a whole number, 2 if it can be."""
    segment = Fraction(segment_seconds).limit_denominator(10**6)
    rates = range(FPS, _MOST_FPS + 1)
    return next((n for n in rates if (n * segment).denominator == 1), FPS)


def _heads(
    words: Sequence[LabelMapping], encoders: dict[Sense, str], policy: WeightsPolicy
) -> tuple[dict[Sense, LabelHead], dict[Sense, AvlocError]]:
    """Return the head of each sense that is to be had, and why the others are not."""
    heads: dict[Sense, LabelHead] = {}
    lacking: dict[Sense, AvlocError] = {}
    for sense, encoder in encoders.items():
        try:
            if is_hub_name(encoder):
                names = [word.label for word in words]
                heads[sense] = text_label_head(sense, encoder, names, SOUNDING_THINGS, policy)
            else:
                classes = [word.seen if sense == "visual" else word.heard for word in words]
                heads[sense] = tagger_head(sense, encoder, classes, policy)
        except (WeightsError, DependencyError) as error:
            lacking[sense] = error
    if not heads:
        raise lacking["audio"]
    return heads, lacking


def _model_file(
    labels: LabelSet,
    rivals: Sequence[str],
    mappings: Sequence[LabelMapping],
    heads: dict[Sense, LabelHead],
    encoders: Encoders,
) -> ModelFile:
    options: dict[str, Any] = {k: v for head in heads.values() for k, v in head.options.items()}
    model: Any = build(
        OPEN_MODEL,
        visual_channels=encoders.visual.embedding[-1],
        audio_channels=encoders.audio.embedding[-1],
        n_classes=labels.n_labels,
        independent=True,
        n_rivals=len(rivals),
        **options,
    )
    for sense, head in heads.items():
        getattr(model, f"{sense}_head").load_state_dict(head.weights)
        evidence = model.heard_labels if sense == "audio" else model.seen_labels
        evidence.fit(head.classes, **head.moments)
    return ModelFile(
        name=OPEN_MODEL,
        config=model.config,
        weights=state_arrays(model),
        labels=labels,
        spec=encoders.spec,
        supervision="none",
        n_segments=_WINDOW,
        segment_seconds=encoders.spec.segment_seconds,
        metrics={},
        seed=0,
        data={
            "rivals": list(rivals),
            "not_heard": [mapping.label for mapping in mappings if not mapping.heard],
            "not_seen": [mapping.label for mapping in mappings if not mapping.seen],
        },
    )
