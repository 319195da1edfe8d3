"""The stage ``open``: labels in, a model that needs no training out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from avloc.artifacts import ModelFile, write_model
from avloc.errors import UsageError, WeightsError
from avloc.events import DEFAULT_THRESHOLD
from avloc.features import Encoders, WeightsPolicy, load_encoders
from avloc.labels import LabelSet
from avloc.localizer import Localizer
from avloc.models import build, state_arrays
from avloc.stages.label_heads import RIVALS, LabelHead, tagger_head
from avloc.stages.workspace import OPEN_MODEL, Workspace
from avloc.vocabulary import SOUNDING_THINGS, LabelMapping, map_labels, read_corrections

VISUAL = "efficientnet-lite0"
AUDIO = "efficientat-mn04"
"""The small pair: it runs on a laptop's CPU."""
FPS = 2
VOCABULARY_THRESHOLD = 0.8
"""Of the labels that nobody asked for: of so many, one is above the usual threshold by chance."""
_WITHOUT_WEIGHTS = "logmel"  # stands for an audio encoder that is not to be had
_WINDOW = 600  # segments that are scored at once; a segment needs no other
_MOST_FPS = 120
_MOST_NAMED = 5  # labels that a line names


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
    names = [*labels, *(_lines(Path(labels_file)) if labels_file is not None else ())]
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
    mappings = map_labels(names, fixed)
    unknown = [mapping for mapping in mappings if not mapping.heard and not mapping.seen]
    if len(unknown) == len(mappings):
        raise UsageError(
            "no label matches anything that the encoders know",
            f"{' '.join(_nothing(mapping) for mapping in unknown[:_MOST_NAMED])} --map FILE names "
            "classes for a label.",
        )
    heads, notes = _heads([*mappings, *map_labels(rivals)], visual, audio, policy)
    encoders = load_encoders(
        visual,
        audio if "audio" in heads else _WITHOUT_WEIGHTS,
        fps=fps or frame_rate(segment_seconds),
        segment_seconds=segment_seconds,
        device=device,
        weights=policy,
    )
    file = replace(
        _model_file(label_set, rivals, mappings, heads, encoders),
        thresholds=(DEFAULT_THRESHOLD if asked else VOCABULARY_THRESHOLD,) * len(names),
    )
    notes += [_nothing(mapping) for mapping in unknown]
    notes += _abstaining(mappings) if asked else []
    return OpenModel(file, tuple(mappings), tuple(notes), encoders)


def clean_labels(labels: Iterable[str]) -> list[str]:
    """Return labels without surrounding space, each once; UsageError if one is empty."""
    names = list(dict.fromkeys(" ".join(label.split()) for label in labels))
    if not all(names):
        raise UsageError("a label is empty", "Name what to look for: --label 'dog barking'.")
    return names


def frame_rate(segment_seconds: float) -> int:
    """Return the frames a second of which a segment has a whole number, 2 if it can be."""
    segment = Fraction(segment_seconds).limit_denominator(10**6)
    rates = range(FPS, _MOST_FPS + 1)
    return next((n for n in rates if (n * segment).denominator == 1), FPS)


def _heads(
    mappings: Sequence[LabelMapping], visual: str, audio: str, policy: WeightsPolicy
) -> tuple[dict[str, LabelHead], list[str]]:
    """Return the head of each sense that is to be had, and why the sound's is not."""
    heads = {"visual": tagger_head("visual", visual, [m.seen for m in mappings], policy)}
    try:
        heads["audio"] = tagger_head("audio", audio, [m.heard for m in mappings], policy)
    except WeightsError as error:
        return heads, [f"answers from the picture alone: {error.message}. {error.hint}"]
    return heads, []


def _model_file(
    labels: LabelSet,
    rivals: Sequence[str],
    mappings: Sequence[LabelMapping],
    heads: dict[str, LabelHead],
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


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "Write one label a line.") from error
    return [line for line in text.splitlines() if line.strip()]


def _nothing(mapping: LabelMapping) -> str:
    nearest = f" Nearest: {', '.join(mapping.nearest)}." if mapping.nearest else ""
    return f"{mapping.label!r} matches nothing that the encoders know.{nearest}"


def _abstaining(mappings: Sequence[LabelMapping]) -> list[str]:
    """Return lines that name the labels of which one sense knows nothing."""
    lines = []
    for sense, other in (("heard", "seen"), ("seen", "heard")):
        names = [m.label for m in mappings if not getattr(m, sense) and getattr(m, other)]
        if names:
            lines.append(f"known only where {other}, since nothing {sense} matches: {named(names)}")
    return lines


def named(names: Sequence[str]) -> str:
    """Return names in a line: the first of them, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
