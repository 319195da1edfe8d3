"""The stage ``localize``: videos and a model in; timelines, files and heat-map videos out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from avloc.artifacts import write_localization
from avloc.errors import AvlocError, OutputError, UnknownNameError, UsageError
from avloc.events import EventRules
from avloc.export import formats as known_formats
from avloc.export import render_heatmap, save
from avloc.localization import load
from avloc.media import HEATMAP_SUFFIX, video_files
from avloc.progress import Progress, silent
from avloc.stages.workspace import DEFAULT_MODEL, Workspace
from avloc.timeline import Timeline


@dataclass(frozen=True)
class Localization:
    """One video's answer.

    Attributes:
        video: the file.
        timeline: its events and scores; None if it failed.
        written: the files made, in order.
        error: why it failed; None if it did not.
    """

    video: Path
    timeline: Timeline | None
    written: tuple[Path, ...] = ()
    error: AvlocError | None = None


def localize(
    videos: Sequence[Path | str] | Path | str,
    *,
    model: Path | str = DEFAULT_MODEL,
    artifacts: Path | str | None = None,
    heatmap: bool = False,
    formats: Sequence[str] = (),
    out: Path | str | None = None,
    keep: float = 1.0,
    min_gap: float = 0.0,
    min_seconds: float = 0.0,
    min_score: float = 0.0,
    labels: Sequence[str] = (),
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    each: Callable[[Localization], None] | None = None,
) -> list[Localization]:
    """Localize the events of videos, one after the other, and write each answer.

    Args:
        videos: video files and folders of them.
        model: a model's name in the workspace, or a model file.
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        heatmap: also render ``<name>.heatmap.mp4``, the video with its attention, sound kept.
        formats: other files to write, for example ``["csv", "srt"]``.
        out: a folder for what is written; beside each video by default.
        keep: an event goes on over background where its label still has this probability.
        min_gap: events of one label that are fewer seconds apart become one.
        min_seconds: shorter events are left out.
        min_score: events of a lower score are left out.
        labels: only events of these labels; all by default.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        weights: a folder that is searched for the encoders' weight files first.
        offline: never open a socket.
        progress: called with (videos done, videos, what).
        each: called with each answer as it comes.

    Returns:
        An answer a video; one that fails carries its error, and the others go on.

    Raises:
        MediaError: there is no video. ArtifactError: there is no model.
        UnknownNameError: no such format, or the model knows no such label. UsageError: a
        number is out of its range.
    """
    suffixes = _suffixes(formats)
    rules = EventRules(keep, min_gap, min_seconds, min_score, tuple(labels))
    named = [videos] if isinstance(videos, str | Path) else videos
    files = list(dict.fromkeys(file for path in named for file in video_files(Path(path))))
    targets = target_stems(files, Path(out) if out else None)
    path = Workspace.at(artifacts).existing_model(model)
    localizer = load(path, device=device, weights=weights, offline=offline)
    rules.check_labels(localizer.model_file.labels)
    report = progress or silent
    answers = []
    for done, (file, stem) in enumerate(zip(files, targets, strict=True)):
        report(done, len(files), file.name)
        answers.append(
            _localize_one(partial(localizer, rules=rules), file, stem, heatmap, suffixes)
        )
        if each is not None:
            each(answers[-1])
    report(len(files), len(files), "done")
    return answers


def _suffixes(names: Sequence[str]) -> dict[str, str]:
    known = known_formats()
    for name in names:
        if name not in known:
            raise UnknownNameError("format", name, known)
    return {name: known[name] for name in names}


def target_stems(files: Sequence[Path], out: Path | None) -> list[Path]:
    """Return for each video the path its results' names begin with, no two alike.

    Raises:
        UsageError: two videos would write the same files.
    """
    stems = [(out or file.parent) / file.stem for file in files]
    owners: dict[Path, Path] = {}
    for file, stem in zip(files, stems, strict=True):
        if owners.setdefault(stem, file) != file:
            raise UsageError(
                f"{owners[stem]} and {file} would write the same {stem}.avloc.h5",
                "Localize them in separate runs with different --out folders.",
            )
    return stems


def _localize_one(
    localizer: Callable[[Path], Timeline],
    video: Path,
    stem: Path,
    heatmap: bool,
    suffixes: dict[str, str],
) -> Localization:
    written: list[Path] = []
    try:
        timeline = localizer(video)
        for suffix, write in _writers(timeline, video, heatmap, suffixes):
            target = stem.with_name(stem.name + suffix)
            write(target)
            written.append(target)
    except OutputError as error:
        error.hint += " --out DIR names another folder."
        return Localization(video, None, tuple(written), error)
    except AvlocError as error:
        return Localization(video, None, tuple(written), error)
    return Localization(video, timeline, tuple(written))


def _writers(
    timeline: Timeline, video: Path, heatmap: bool, suffixes: dict[str, str]
) -> Iterator[tuple[str, Callable[[Path], object]]]:
    """Yield what is to be written: the end of its name, and what writes it to a path."""
    yield ".avloc.h5", lambda target: write_localization(target, timeline)
    for name, suffix in suffixes.items():
        yield suffix, partial(save, timeline, format=name)
    if heatmap and timeline.frame_size is not None:
        yield HEATMAP_SUFFIX, partial(render_heatmap, timeline, video)
