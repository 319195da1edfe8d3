"""The stage ``verify``: every byte of avloc's files against the digests that they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore, check_artifact
from avloc.errors import ArtifactError
from avloc.progress import Progress, silent


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        n_checked: files that were checked.
        bad: those that no command would take, each with the reason.
        undigested: sound files of format 1, which have no digest: in them a changed number is
            not noticed.
    """

    n_checked: int
    bad: tuple[tuple[Path, str], ...]
    undigested: tuple[Path, ...]


def verify(
    paths: Path | str | Sequence[Path | str], *, progress: Progress | None = None
) -> Verification:
    """Check files and feature stores for damage.

    Every byte is read and compared with the digests in the files, and no number may be NaN or
    infinite. A path that is missing or not avloc's is bad.

    Args:
        paths: Files that avloc wrote, and feature stores.
        progress: called with (files done, files, file).
    """
    report = progress or silent
    given = [paths] if isinstance(paths, Path | str) else list(paths)
    files = [file for path in given for file in _files_of(Path(path))]
    bad, undigested = [], []
    for done, file in enumerate(files):
        report(done, len(files), str(file))
        try:
            if not _check(file):
                undigested.append(file)
        except ArtifactError as error:
            bad.append((file, error.message.removeprefix(f"{file} ")))
    report(len(files), len(files), "")
    return Verification(len(files), tuple(bad), tuple(undigested))


def _files_of(path: Path) -> list[Path]:
    """Return a file alone, and a store with its videos' files."""
    return [path, *sorted((path / "videos").glob("[!.]*.h5"))]


def _check(path: Path) -> bool:
    """Check a file or what a store says of itself; tells whether it carries a digest."""
    return FeatureStore.open(path).has_digest if path.is_dir() else check_artifact(path)
