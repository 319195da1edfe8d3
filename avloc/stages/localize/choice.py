"""Which models a run of ``localize`` uses: files of the workspace, or the model ``open``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts.model_file import identity_of
from avloc.errors import UsageError
from avloc.stages.localize.answers import ChosenModel
from avloc.stages.workspace import DEFAULT_MODEL, OPEN_MODEL, Workspace


@dataclass(frozen=True)
class OpenRequest:
    """What is asked of the model ``open``, and how its encoders are loaded."""

    labels: tuple[str, ...]
    segment_seconds: float | None
    device: str
    weights: Path | None
    offline: bool

    def fits(self, model: ChosenModel) -> bool:
        """Say whether a model has the labels and the segments that are asked for."""
        is_as_long = self.segment_seconds in (None, model.file.segment_seconds)
        return is_as_long and set(self.labels) <= set(model.file.labels.names)


def choose_models(
    names: Sequence[str | Path] | None,
    workspace: Workspace,
    request: OpenRequest,
    notice: Callable[[str], None],
) -> tuple[list[ChosenModel], tuple[str, ...]]:
    """Return the models to use, each once, and the labels whose events are wanted.

    Args:
        names: models by name or file; empty for the default, None for no model at all.
        workspace: where models are looked for.
        request: for the model ``open``.
        notice: called with what a user should know of it.
    """
    if names is None:
        return [], request.labels
    if not names:
        has_none = workspace.model_names() in ([], [OPEN_MODEL])
        names = [OPEN_MODEL if has_none else DEFAULT_MODEL]
        if has_none:
            notice(f"no trained model in {workspace.root}: the model open answers without training")
    chosen: dict[Path, ChosenModel] = {}
    labels = request.labels
    for name in names:
        model = _open(workspace, request, notice) if str(name) == OPEN_MODEL else None
        model = model or ChosenModel.at(workspace.existing_model(name))
        chosen.setdefault(model.path, model)
        if model.localizer is not None and labels:
            labels = model.file.labels.names
        elif request.segment_seconds not in (None, model.file.segment_seconds):
            raise UsageError(
                f"{model.path} has segments of {model.file.segment_seconds:g} s",
                "Only the model open takes others; extract and train again for this one.",
            )
    return list(chosen.values()), labels


def _open(workspace: Workspace, request: OpenRequest, notice: Callable[[str], None]) -> ChosenModel:
    """Return the workspace's open model if it fits the request, else one made for it."""
    path = workspace.root / "models" / f"{OPEN_MODEL}.h5"
    if path.exists() and request.fits(model := ChosenModel.at(path)):
        return model
    from avloc.features import WeightsPolicy  # imports torch
    from avloc.stages.open_model import make_open_model

    made = make_open_model(
        request.labels,
        segment_seconds=request.segment_seconds or 1.0,
        device=request.device,
        policy=WeightsPolicy(folder=request.weights, offline=request.offline),
    )
    for note in made.notes:
        notice(note)
    return ChosenModel(Path(OPEN_MODEL), made.file, identity_of(made.file), made.localizer())
