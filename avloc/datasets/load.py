"""One call for every kind of data set; videos without annotations are one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from avloc.artifacts import Location, as_location
from avloc.datasets.ave import ANNOTATIONS, N_SEGMENTS, load_ave
from avloc.datasets.dataset import Dataset
from avloc.datasets.elan_document import ELAN_SUFFIX, load_elan
from avloc.datasets.fields import plain_name
from avloc.datasets.json_file import JsonFile
from avloc.datasets.label_studio_tasks import read_label_studio
from avloc.datasets.llp import EVENT_FILES, SPLIT_FILES, is_llp, load_llp
from avloc.datasets.manifest import MANIFEST, MANIFEST_SUFFIXES, load_manifest
from avloc.datasets.ov_avebench import ANNOTATIONS as OV_AVEBENCH
from avloc.datasets.ov_avebench import META, is_ov_avebench, load_ov_avebench
from avloc.datasets.remote_set import load_remote
from avloc.datasets.synthetic.truth import read_config
from avloc.datasets.unav100 import ANNOTATIONS as UNAV100
from avloc.datasets.unav100 import load_unav100, read_unav100
from avloc.datasets.video_paths import videos_beside
from avloc.errors import DatasetError, MediaError
from avloc.labels import LabelSet
from avloc.media import video_files


def load_dataset(path: Location | str) -> Dataset:
    """Read the data set at a path; a DatasetError names the file and line that is wrong.

    ============================================  ===================================
    a folder with ``Annotations.txt``             AVE's layout
    a ``.txt`` file                               the same, with another file of rows
    a folder with ``AVVP_train.csv`` and so on    LLP
    a folder with ``ovave_dataset_meta.csv``      OV-AVEBench
    a folder with ``unav100_annotations.json``    UnAV-100
    a ``.csv``, ``.tsv`` or ``.jsonl`` file,      a manifest
    or a folder with ``manifest.csv``
    a ``.json`` file                              UnAV-100, or an export of Label Studio
    an ``.eaf`` file, or a folder of them         ELAN's documents
    without videos
    any other folder or file                      its videos, without rows
    ============================================  ===================================

    The published sets are also read from the path of one of their files. At an address, only the
    annotation files are read.
    """
    location = as_location(path)
    if isinstance(location, Path):
        return _load(location)
    return load_remote(location, _load)


def _load(path: Path) -> Dataset:
    reader = _file_reader(path) if path.is_file() else _folder_reader(path)
    if reader is not None:
        return reader(path)
    if path.suffix.lower() in MANIFEST_SUFFIXES and not path.is_dir():
        return load_manifest(path)  # which says that it cannot be read
    return load_videos(path)


def _file_reader(path: Path) -> Callable[[Path], Dataset] | None:
    suffix = path.suffix.lower()
    if path.name in (*SPLIT_FILES.values(), *EVENT_FILES.values()):
        return lambda path: load_llp(path.parent)
    if path.name in (META, OV_AVEBENCH):
        return lambda path: load_ov_avebench(path.parent)
    if suffix in MANIFEST_SUFFIXES:
        return load_manifest
    if suffix == ".txt":
        return lambda path: _load_ave(path.parent, path.name)
    if suffix == ELAN_SUFFIX:
        return lambda path: load_elan([path], path)
    return _load_json if suffix == ".json" else None


def _folder_reader(path: Path) -> Callable[[Path], Dataset] | None:
    if (path / ANNOTATIONS).is_file():
        return lambda path: _load_ave(path, ANNOTATIONS)
    if is_llp(path):
        return load_llp
    if is_ov_avebench(path):
        return load_ov_avebench
    if (path / UNAV100).is_file():
        return lambda path: load_unav100(path / UNAV100)
    if (path / MANIFEST).is_file():
        return lambda path: load_manifest(path / MANIFEST)
    documents = sorted(path.glob(f"*{ELAN_SUFFIX}")) if path.is_dir() else []
    if documents and not videos_beside(path):  # next to videos, they may be a model's answers
        return lambda path: load_elan(documents, path)
    return None


def _load_json(path: Path) -> Dataset:
    file = JsonFile(path)
    content = file.content
    if isinstance(content, dict) and "database" in content:
        return read_unav100(file)
    if isinstance(content, list) or (isinstance(content, dict) and "data" in content):
        return read_label_studio(file)
    hint = "Known are UnAV-100's annotations, and Label Studio's exports (JSON)."
    if isinstance(content, dict) and str(content.get("schema")).startswith("avloc."):
        hint = "Export events for correction with --format csv, label-studio or elan."
    raise DatasetError("is not a JSON file of annotations", path, hint=hint)


def _load_ave(root: Path, annotations: str) -> Dataset:
    made_with = read_config(root)
    return load_ave(root, made_with.seconds if made_with else N_SEGMENTS, annotations)


def load_videos(path: Path) -> Dataset:
    """Return the videos of a folder, or one video file, as a data set without rows.

    A video's id is its file name without suffix; videos that would share one are named by their
    paths inside the folder (``a/x.mp4`` becomes ``a__x``).
    """
    if not path.exists():
        raise DatasetError("there is no such file or folder", path, hint="Check the path.")
    try:
        files = video_files(path)
    except MediaError as error:
        raise DatasetError(
            "holds no data set and no video",
            path,
            hint="A data set is a folder with Annotations.txt (AVE), manifest.csv, or the files of "
            "LLP, UnAV-100 or OV-AVEBench; a .csv, .tsv or .jsonl manifest; an .eaf or .json file "
            "of corrected labels; or videos.",
        ) from error
    root = path if path.is_dir() else path.parent
    return Dataset(path.name, path, LabelSet(()), (), _named(root, files))


def _named(root: Path, files: list[Path]) -> dict[str, Location]:
    n_sharing = Counter(plain_name(file.stem) for file in files)
    named: dict[str, Location] = {}
    for file in files:
        is_shared = n_sharing[plain_name(file.stem)] > 1
        names = _names(file.relative_to(root), is_shared)
        named[next(name for name in names if name not in named)] = file
    return named


def _names(inside: Path, is_shared: bool) -> Iterator[str]:
    """Yield the possible ids of a video, the shortest first."""
    if not is_shared:
        yield plain_name(inside.stem)
    yield plain_name("__".join(inside.with_suffix("").parts))
    long_name = plain_name("__".join(inside.parts))
    yield long_name
    yield from (f"{long_name}-{number}" for number in count(2))
