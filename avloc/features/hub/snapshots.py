"""A model's files: in a folder, in the hub's cache on this machine, or downloaded into it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from avloc.artifacts import sha256_of
from avloc.artifacts.digests import digest_of_bytes
from avloc.errors import WeightsError
from avloc.features.hub.downloads import download_settings, download_weights
from avloc.features.hub.model_card import is_non_commercial, licence_of
from avloc.features.hub.names import HubName, is_commit
from avloc.features.hub.weight_files import WEIGHTS, weights_in
from avloc.features.weights import WeightsPolicy

_CONFIG = "config.json"
_log = logging.getLogger(__name__)
_reported: set[Path] = set()  # models whose licence this process has reported


@dataclass(frozen=True)
class Snapshot:
    """The files of one revision of a model on this machine, perhaps without its weights.

    Attributes:
        name: the model's, without its revision.
        repository: ``ORG/NAME`` of the hub.
        folder: of the files.
        revision: the commit; of a plain folder, a digest of its settings.
        licence: as the model card states it.
        is_local: the folder was given, and is not the hub's cache.
    """

    name: HubName
    repository: str
    folder: Path
    revision: str
    licence: str
    is_local: bool

    def settings(self, file: str = _CONFIG) -> dict[str, Any]:
        """Read one of the JSON files; `WeightsError` if it cannot be read."""
        path = self.folder / file
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path}, of {self.name}, cannot be read: {error}") from error
        if not isinstance(content, dict):
            raise WeightsError(f"{path}, of {self.name}, is not a JSON object")
        return content


def find_snapshot(name: HubName, repository: str, policy: WeightsPolicy) -> Snapshot:
    """Find a model's files, or download all but its weights; `WeightsError` if impossible.

    A folder that the name or ``policy.folder`` has is taken first, then the hub's cache. A licence
    that forbids commercial use is reported.
    """
    local = name.folder or _in_weights_folder(name, repository, policy)
    folder = local or download_settings(name, repository, policy, is_commit(name.revision))
    _check_settings(folder, name)
    licence = licence_of(folder)
    if is_non_commercial(licence) and folder not in _reported:
        _reported.add(folder)
        _log.warning("%s: its licence, %s, does not allow commercial use", name, licence)
    revision = _local_revision(folder, name) if local else folder.name
    plain = name.without_revision()
    return Snapshot(plain, repository, folder, revision, licence, local is not None)


def weights_of(snapshot: Snapshot, policy: WeightsPolicy) -> tuple[Path, ...]:
    """Return the files of a model's weights, or download them; `WeightsError` if impossible."""
    weights = weights_in(snapshot.folder)
    if not weights and not snapshot.is_local:
        weights = download_weights(
            snapshot.name, snapshot.repository, snapshot.folder, snapshot.licence, policy
        )
    if not weights:
        raise WeightsError(
            f"{snapshot.folder} has no weights of {snapshot.name}",
            f"Put {' or '.join(WEIGHTS)} there, with the shards that its index lists, if any.",
        )
    return weights


def sha256_of_weights(weights: tuple[Path, ...]) -> str:
    """Return the sha256 of a file; of several, of the lines of their hashes."""
    digests = [sha256_of(path) for path in weights]
    return digests[0] if len(digests) == 1 else sha256("\n".join(digests).encode()).hexdigest()


def _in_weights_folder(name: HubName, repository: str, policy: WeightsPolicy) -> Path | None:
    """Find a model in ``--weights DIR``: as ORG/NAME, as NAME, or as in the hub's cache."""
    if policy.folder is None:
        return None
    if not policy.folder.is_dir():
        raise WeightsError(f"{policy.folder} is not a folder of weights", "Check --weights.")
    cached = policy.folder / f"models--{repository.replace('/', '--')}"
    reference = cached / "refs" / (name.revision or "main")
    commit = reference.read_text().strip() if reference.is_file() else name.revision
    places = [policy.folder / repository, policy.folder / repository.rpartition("/")[2]]
    for path in [*places, *([cached / "snapshots" / commit] if commit else [])]:
        if (path / _CONFIG).is_file():
            return path
    return None


def _local_revision(folder: Path, name: HubName) -> str:
    for revision in (folder.name, name.revision):
        if is_commit(revision):
            return revision
    settings = sorted(folder.glob("*config.json"))  # the processor's as well
    return f"files-{digest_of_bytes(b''.join(path.read_bytes() for path in settings))[:16]}"


def _check_settings(folder: Path, name: HubName) -> None:
    if not folder.is_dir():
        raise WeightsError(
            f"{folder}, which {name} names, is not a folder",
            f"Give the folder of the model's files, or {name.library}: and a name on the hub.",
        )
    if not (folder / _CONFIG).is_file():
        raise WeightsError(
            f"{folder} has no {_CONFIG}, which says how {name} is built",
            "Give a folder in the hub's layout: config.json, model.safetensors and the rest.",
        )
