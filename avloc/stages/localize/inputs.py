"""The videos of a run of ``localize``, where their results go, and what is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import Address, Location, as_location, resolved, staged
from avloc.errors import AvlocError, MediaError, UsageError
from avloc.media import video_files
from avloc.timeline import Event

if TYPE_CHECKING:
    from avloc.datasets import Box

_AT_ONCE = 16  # addresses that are looked up


@dataclass(frozen=True)
class InputVideo:
    """A video, or a path without one.

    Attributes:
        path: the file, or its address.
        stem: how the paths of its results begin: the path without suffix, with it where the
            results of two videos would have the same names.
        video_id: the file's name without suffix, or the whole path where that name repeats.
        error: why it cannot be localized; None if it can.
        has_namesake: another video of the run has the same name without suffix.
        true_events: its true events; None if no data set knows them.
        boxes: for each segment the boxes around the sources of its sound; may be empty.
        truth_note: why known true events are not shown.
        copy: of an address on this machine, while it is localized.
    """

    path: Location
    stem: Path
    video_id: str
    error: AvlocError | None = None
    has_namesake: bool = False
    true_events: tuple[Event, ...] | None = None
    boxes: Sequence[Sequence[Box]] = ()
    truth_note: str = ""
    copy: Path | None = None

    @property
    def file(self) -> Path:
        """The file to read."""
        assert isinstance(self.path, Path) or self.copy is not None
        return self.path if isinstance(self.path, Path) else Path(str(self.copy))

    @contextmanager
    def staged(self) -> Iterator[InputVideo]:
        """Yield the video with a file to read; raise the error of one that has none."""
        if self.error is not None:
            raise self.error
        with staged(self.path) as file:
            yield replace(self, copy=file)

    def result(self, suffix: str) -> Path:
        """Return the path of a result with this suffix."""
        return self.stem.with_name(self.stem.name + suffix)


def find_inputs(paths: Sequence[Path | str], out: Path | None) -> list[InputVideo]:
    """Find the videos behind files and folders, each once.

    Args:
        paths: files, and folders of them.
        out: where results go, with the tree of a given folder; by default beside each video.

    Raises:
        UsageError: two videos would write the same files.
    """
    videos: dict[Location, InputVideo] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # thousands of addresses may have been listed
        at_addresses = {
            path: pool.submit(_videos_at, location, out)
            for path in paths
            if isinstance(location := as_location(path), Address)
        }
        for path in paths:
            looked_up = at_addresses.get(path)
            for video in _videos_in(Path(path), out) if looked_up is None else looked_up.result():
                videos.setdefault(video.path, video)
    stems = Counter(video.stem for video in videos.values())
    names = Counter(video.video_id for video in videos.values() if video.error is None)
    inputs = [
        replace(
            video,
            stem=video.stem.with_name(video.path.name) if stems[video.stem] > 1 else video.stem,
            video_id=str(video.path) if names[video.video_id] > 1 else video.video_id,
            has_namesake=names[video.video_id] > 1,
        )
        for video in videos.values()
    ]
    _refuse_collisions(inputs)
    return inputs


def add_truth(inputs: Sequence[InputVideo], root: Location) -> list[InputVideo]:
    """Return the videos with what a data set knows of them.

    Raises:
        DatasetError: the data set's files are wrong.
    """
    from avloc.datasets import find_boxes, load_dataset

    dataset = load_dataset(root)
    boxes = find_boxes(dataset.root) or {}
    id_of_file = {resolved(path): video_id for video_id, path in dataset.videos.items()}
    known = []
    for video in inputs:
        # a name alone identifies a video only if no other video of the run has it
        name = video.path.stem
        video_id = id_of_file.get(resolved(video.path)) or ("" if video.has_namesake else name)
        is_unsure = not video_id and dataset.events_of(name) is not None
        note = "no true events shown: other videos have its name, and the data set has one"
        known.append(
            replace(
                video,
                true_events=dataset.events_of(video_id),
                boxes=boxes.get(video_id, ()),
                truth_note=note if is_unsure else "",
            )
        )
    return known


def _videos_in(path: Path, out: Path | None) -> Iterator[InputVideo]:
    try:
        videos = video_files(path)
    except MediaError as error:
        yield InputVideo(path, path, path.stem, error)
        return
    root = path if path.is_dir() else path.parent
    for video in videos:
        target = out / video.relative_to(root) if out else video
        yield InputVideo(video, target.with_suffix(""), video.stem)


def _videos_at(address: Address, out: Path | None) -> list[InputVideo]:
    from avloc.datasets.remote_set import videos_at

    try:
        videos = videos_at(address)
    except AvlocError as error:
        return [InputVideo(address, Path(address.name), address.stem, error)]
    return [
        InputVideo(video, ((out or Path()) / inside).with_suffix(""), video.stem)
        for inside, video in videos.items()
    ]


def _refuse_collisions(inputs: Sequence[InputVideo]) -> None:
    owners: dict[Path, Location] = {}
    for video in inputs:
        if video.error is None and owners.setdefault(video.stem, video.path) != video.path:
            raise UsageError(
                f"{owners[video.stem]} and {video.path} would write the same "
                f"{video.result('.avloc.h5')}",
                "Localize them in separate runs with different --out folders.",
            )
