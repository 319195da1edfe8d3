"""The stage ``calibrate``: a model and a few corrected videos in, the model's thresholds out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import read_model, write_model
from avloc.artifacts.model_file import ModelFile
from avloc.datasets import Dataset, load_dataset
from avloc.datasets.targets import Targets
from avloc.errors import AddressError, DatasetError, MediaError
from avloc.events import DEFAULT_THRESHOLD
from avloc.export.marks import refuse_foreign
from avloc.localizer import Localizer, load
from avloc.progress import Progress, silent
from avloc.stages.workspace import OPEN_MODEL, Workspace
from avloc.timeline import Timeline
from avloc.training.calibration import winning_scores
from avloc.training.few_examples import FittedThreshold, fit_to_few
from avloc.training.sense_calibration import ENOUGH, fit_sense_threshold

_FEW_VIDEOS = 3


@dataclass(frozen=True)
class CalibratedModel:
    """A model with thresholds of corrected videos, and where it was written.

    Attributes:
        path: the model file.
        model: the model.
        thresholds: of each label of the model, before and after.
        sense_thresholds: before and after, for ``heard`` and for ``seen``; empty where none is.
        n_videos: the videos that thresholds were fitted to.
        unknown: labels of the data that the model does not know.
        failed: why a video was left out.
    """

    path: Path
    model: ModelFile
    thresholds: dict[str, FittedThreshold]
    sense_thresholds: tuple[tuple[float, ...], tuple[float, ...]]
    n_videos: int
    unknown: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def few(self) -> tuple[str, ...]:
        """The labels with examples in fewer than three videos."""
        return tuple(name for name, of in self.thresholds.items() if 0 < of.n_videos < _FEW_VIDEOS)


@dataclass(frozen=True)
class _Answer:
    timeline: Timeline
    truth: Targets


def calibrate(
    dataset: Path | str,
    *,
    model: str | Path = OPEN_MODEL,
    name: str | None = None,
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    artifacts: Path | str | None = None,
    progress: Progress | None = None,
) -> CalibratedModel:
    """Fit a model's thresholds to a few corrected videos.

    The model answers the videos, and each label gets the threshold with the greatest F1 of
    segments. A label keeps its threshold if no video has it, or if thresholds that are fitted
    without a video answer that video worse than the old one. A corrected video must have all its
    events: where the data have no event, there is none. Videos of the split test are left out.

    Where 20 segments or more say which sense knows them, the thresholds of the senses are fitted
    too. Weights never change.

    Args:
        dataset: Corrected labels: a manifest, .eaf, Label Studio's .json, or a data set's folder.
        model: A model's name in the workspace, or a model file. The model open is made with the
            labels of the data if the workspace has none.
        name: The name of a new model file in the workspace. Default: replace the model's file.
        device: Where the networks run.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos done, videos, video id).

    Raises:
        DatasetError: no video has both a file and events with times, or the model knows none of
            their labels. ArtifactError: there is no such model. OutputError: the model file
            cannot be written.
    """
    workspace, labelled = Workspace.at(artifacts), load_dataset(dataset)
    loading: dict[str, Any] = {"device": device, "weights": weights, "offline": offline}
    is_new = str(model) == OPEN_MODEL and OPEN_MODEL not in workspace.model_names()
    if is_new:
        path = workspace.new_model(name or OPEN_MODEL)
        localizer = _open_localizer(labelled, **loading)
    else:
        source = workspace.existing_model(model)
        path = workspace.new_model(name) if name else source
        refuse_foreign(path)
        _of_model(labelled, read_model(source))  # before the encoders are loaded
        localizer = load(source, **loading)
    model_file = localizer.model_file
    data, unknown = _of_model(labelled, model_file)
    answers: list[_Answer] = []
    failed: list[str] = []
    videos = _videos(data)
    for done, (video_id, row) in enumerate(videos.items()):
        (progress or silent)(done, len(videos), video_id)
        try:
            timeline = localizer(data.videos[video_id])
        except (AddressError, MediaError) as error:
            failed.append(error.message)
            continue
        answers.append(_Answer(timeline, data.targets(data.rows[row], timeline.grid)))
    (progress or silent)(len(videos), len(videos), "done")
    if not answers:
        raise DatasetError(f"no video can be read. The first: {failed[0]}", data.root)
    fitted = _fit(model_file, answers)
    before = tuple(map(float, model_file.sense_thresholds))
    after = _sense_thresholds(answers, before) if data.knows_senses else before
    new = replace(
        model_file,
        thresholds=tuple(of.after for of in fitted.values()),
        sense_thresholds=after,
        data={**model_file.data, "calibrated_on": data.name, "n_calibration_videos": len(answers)},
    )
    write_model(path, new)
    senses = (before, after)
    return CalibratedModel(path, new, fitted, senses, len(answers), unknown, tuple(failed))


def _open_localizer(
    dataset: Dataset, device: str, weights: Path | None, offline: bool
) -> Localizer:
    """Return the model open with the labels of a data set."""
    from avloc.features import WeightsPolicy
    from avloc.stages.open_model import make_open_model

    policy = WeightsPolicy(folder=weights, offline=offline)
    return make_open_model(dataset.labels.names, device=device, policy=policy).localizer()


def _of_model(dataset: Dataset, model: ModelFile) -> tuple[Dataset, tuple[str, ...]]:
    """Return the data set with the model's labels, and the labels that the model lacks."""
    known = model.labels.names
    unknown = tuple(name for name in dataset.labels.names if name not in known)
    if len(unknown) == len(dataset.labels.names):
        raise DatasetError(
            f"the model {model.name} knows none of its labels ({', '.join(unknown[:5])})",
            dataset.root,
            hint=f"It knows: {', '.join(known[:10])}{', ...' * (len(known) > 10)}.",
        )
    rows = tuple(
        replace(row, label="", start=0.0, end=0.0, sense="unknown", is_whole_video=False)
        if row.label in unknown
        else row
        for row in dataset.rows
    )
    return replace(dataset, labels=model.labels, rows=rows, is_row_alone=False), unknown


def _videos(dataset: Dataset) -> dict[str, int]:
    """Return the number of a row of each video that has a file and times, and is not for tests."""
    videos: dict[str, int] = {}
    for number, row in enumerate(dataset.rows):
        is_usable = row.split != "test" and row.video_id in dataset.videos
        if is_usable and dataset.events_of(row.video_id) is not None:
            videos.setdefault(row.video_id, number)
    if not any(dataset.events_of(video_id) for video_id in videos):
        raise DatasetError(
            "no video outside the split test has a file and an event with times",
            dataset.root,
            hint="Correct some videos: avloc label writes a manifest to begin with.",
        )
    return videos


def _fit(model: ModelFile, answers: Sequence[_Answer]) -> dict[str, FittedThreshold]:
    scores = [_event_scores(answer.timeline)[answer.truth.scored] for answer in answers]
    truth = [answer.truth.events[answer.truth.scored] for answer in answers]
    fitted = {}
    for n, label in enumerate(model.labels.names):
        before = model.thresholds[n] if model.thresholds else DEFAULT_THRESHOLD
        of_label = [of[:, n] for of in scores], [of[:, n] for of in truth]
        fitted[label] = fit_to_few(*of_label, float(before))
    return fitted


def _event_scores(timeline: Timeline) -> NDArray[np.floating]:
    is_exclusive = timeline.labels.is_exclusive
    return winning_scores(timeline.scores) if is_exclusive else timeline.scores


def _sense_thresholds(answers: Sequence[_Answer], before: tuple[float, ...]) -> tuple[float, ...]:
    """Fit what makes a sense know an event; keep what too few segments can tell."""
    kept = before or (1.0, 1.0)
    after = []
    for n, sense in enumerate(("heard", "seen")):
        said = [(getattr(a.timeline, sense), getattr(a.truth, sense), a.truth) for a in answers]
        usable = [(scores, has, truth) for scores, has, truth in said if scores is not None]
        chosen = [truth.events & truth.scored[:, None] for _, _, truth in usable]
        pairs = list(zip(usable, chosen, strict=True))
        scores = np.concatenate([[], *(scores[where] for (scores, _, _), where in pairs)])
        has = np.concatenate([[], *(has[where] for (_, has, _), where in pairs)]).astype(bool)
        is_enough = min(has.sum(), (~has).sum()) >= ENOUGH
        after.append(fit_sense_threshold(scores, has) if is_enough else kept[n])
    return before if tuple(after) == kept else tuple(after)
