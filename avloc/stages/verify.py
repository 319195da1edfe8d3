"""The stage ``verify``: every byte of avloc's files against the digests that they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore, Location, as_location, check_artifact
from avloc.artifacts.objects import is_folder, list_objects
from avloc.errors import AddressError, ArtifactError
from avloc.progress import Progress, silent


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        n_checked: files that were checked.
        bad: those that no command would accept, each with the reason.
        undigested: sound files of format 1. They have no digest, so that a changed number in
            them is not noticed.
    """

    n_checked: int
    bad: tuple[tuple[Location, str], ...]
    undigested: tuple[Location, ...]


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
    files = [file for path in given for file in _files_of(as_location(path))]
    bad: list[tuple[Location, str]] = []
    undigested: list[Location] = []
    for done, file in enumerate(files):
        report(done, len(files), str(file))
        try:
            is_store = is_folder(file)
            if not (FeatureStore.open(file).has_digest if is_store else check_artifact(file)):
                undigested.append(file)
        except (ArtifactError, AddressError) as error:
            bad.append((file, error.message.removeprefix(f"{file} ")))
    report(len(files), len(files), "")
    return Verification(len(files), tuple(bad), tuple(undigested))


def _files_of(location: Location) -> list[Location]:
    """Return a file, or a store and its videos' features."""
    if isinstance(location, Path):
        return [location, *sorted((location / "videos").glob("[!.]*.h5"))]
    addresses = [info.address for info in list_objects(location / "videos")]
    return [location, *(address for address in addresses if address.suffix == ".h5")]
