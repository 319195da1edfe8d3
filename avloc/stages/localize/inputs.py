"""Which videos a run of ``localize`` means, and where each one's results go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from avloc.errors import AvlocError, MediaError, UsageError
from avloc.media import video_files


@dataclass(frozen=True)
class Input:
    """One video, or a path behind which there is none.

    Attributes:
        video: the file.
        stem: the path that the names of its results begin with: without the video's suffix,
            unless another one's results would have the same names.
        video_id: names it: the file's name without suffix, or its whole path where another
            video of the run has that name.
        error: why there is nothing to localize; None if there is.
        has_namesake: another video of the run has the same file name without suffix.
    """

    video: Path
    stem: Path
    video_id: str
    error: AvlocError | None = None
    has_namesake: bool = False

    def result(self, suffix: str) -> Path:
        """Return where a result goes, by the end of its name."""
        return self.stem.with_name(self.stem.name + suffix)


def find_inputs(paths: Sequence[Path | str], out: Path | None) -> list[Input]:
    """Find the videos behind files and folders, each once.

    Args:
        paths: files, and folders of them.
        out: where results go, a folder's own tree kept; beside each video by default.

    Raises:
        UsageError: two videos would write the same files.
    """
    found: dict[Path, Input] = {}
    for path in paths:
        for one in _inputs_of(path, out):
            found.setdefault(one.video, one)
    inputs = _told_apart(list(found.values()))
    _refuse_collisions(inputs)
    return inputs


def _told_apart(inputs: Sequence[Input]) -> list[Input]:
    """Keep the suffix where a sound lies beside its video; the path as id where names repeat."""
    stems = Counter(one.stem for one in inputs)
    names = Counter(one.video_id for one in inputs if one.error is None)
    return [
        replace(
            one,
            stem=one.stem.with_name(one.video.name) if stems[one.stem] > 1 else one.stem,
            video_id=one.video.as_posix() if names[one.video_id] > 1 else one.video_id,
            has_namesake=names[one.video_id] > 1,
        )
        for one in inputs
    ]


def _inputs_of(given: Path | str, out: Path | None) -> list[Input]:
    path = Path(given)
    try:
        videos = video_files(given)
    except MediaError as error:
        return [Input(path, path, path.stem, error)]
    root = path if path.is_dir() else path.parent
    targets = [out / video.relative_to(root) if out else video for video in videos]
    return [
        Input(video, target.with_suffix(""), video.stem)
        for video, target in zip(videos, targets, strict=True)
    ]


def _refuse_collisions(inputs: Sequence[Input]) -> None:
    owners: dict[Path, Path] = {}
    for one in inputs:
        if one.error is None and owners.setdefault(one.stem, one.video) != one.video:
            raise UsageError(
                f"{owners[one.stem]} and {one.video} would write the same "
                f"{one.result('.avloc.h5')}",
                "Localize them in separate runs with different --out folders.",
            )
