"""``store.json``: what the features of a store are, with a digest of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from avloc.artifacts.atomic import write_text
from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.hdf5 import check_schema
from avloc.artifacts.header import checked_spec
from avloc.artifacts.new_artifact import stamp
from avloc.artifacts.typed_json import to_json
from avloc.spec import FeatureSpec

_MOST_BYTES = 2**20


def write_store_file(path: Path, spec: FeatureSpec, dataset_root: str) -> None:
    """Write a store's file.

    Raises:
        OutputError: the place cannot be written.
    """
    fields = {
        "spec": asdict(spec) | {"size": list(spec.size)},
        "fingerprint": spec.fingerprint,
        "dataset_root": dataset_root,
    }
    content = stamp("features") | fields
    write_text(path, json.dumps(content | {"digest": _digest(content)}, indent=2) + "\n")


def read_store_file(path: Path) -> dict[str, Any]:
    """Return ``spec``, ``dataset_root``, and ``has_digest``: it carries one.

    Raises:
        ArtifactError: it is of another kind or too new.
        OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError: it is damaged.
    """
    content = _read(path)
    check_schema(content["schema"], "features", path)
    return {
        "spec": checked_spec(content["spec"], _text(content["fingerprint"], "fingerprint")),
        "dataset_root": _text(content["dataset_root"], "dataset_root"),
        "has_digest": "digest" in content,
    }


def _digest(header: Mapping[str, Any]) -> str:
    content = {name: value for name, value in header.items() if name != "digest"}
    return digest_of_bytes(to_json(content).encode("utf-8", "surrogatepass"))


def _read(path: Path) -> Any:
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ValueError(f"it is longer than {_MOST_BYTES} bytes")
    header = json.loads(raw.decode())
    if "digest" in header and header["digest"] != _digest(header):
        raise ValueError(
            "it does not match its digest (take out that line if you changed it by hand)"
        )
    return header


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.60}, not a text")
    return value
