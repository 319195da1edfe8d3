"""``store.json``: what the features of a store are, and of which data set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.new_artifact import stamp
from avloc.artifacts.schema import to_json
from avloc.spec import FeatureSpec

LONGEST = 2**20
"""Bytes of a description, at most."""


def store_text(spec: FeatureSpec, dataset_root: str) -> str:
    """Return the description of a store."""
    content = stamp("features") | {
        "spec": spec.as_dict(),
        "fingerprint": spec.fingerprint,
        "dataset_root": dataset_root,
    }
    return json.dumps(content | {"digest": _digest(content)}, indent=2) + "\n"


def parsed(raw: bytes) -> dict[str, Any]:
    """Return what a description says; ValueError if it is damaged."""
    if len(raw) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} bytes")
    content = json.loads(raw.decode())
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    if "digest" in content and content["digest"] != _digest(content):
        raise ValueError(
            "it does not match its digest (remove that line if you changed it by hand)"
        )
    return content


def _digest(content: Mapping[str, Any]) -> str:
    covered = {name: value for name, value in content.items() if name != "digest"}
    return digest_of_bytes(to_json(covered).encode("utf-8", "surrogatepass"))
