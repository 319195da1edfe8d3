"""What ``avloc inspect`` shows of an artifact, and ``avloc verify`` checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avloc.artifacts.address import Location, as_location
from avloc.artifacts.arrays import Arrays, Depth
from avloc.artifacts.comparison_file import parse_comparison
from avloc.artifacts.features_file import parse_features
from avloc.artifacts.hdf5 import Parse, identify, read_artifact
from avloc.artifacts.localization_file import parse_localization
from avloc.artifacts.model_file import parse_model
from avloc.artifacts.objects import is_folder, staged
from avloc.artifacts.predictions_file import parse_predictions
from avloc.artifacts.store import FeatureStore
from avloc.timeline import Timeline

_PARSERS: dict[str, Parse[object]] = {
    "features": parse_features,
    "model": parse_model,
    "predictions": parse_predictions,
    "localization": parse_localization,
    "comparison": parse_comparison,
}
_MOST_VALUES = 30  # of a list


@dataclass(frozen=True)
class Description:
    """An artifact in words."""

    kind: str  # a key of `MADE_BY`, or ``feature store``
    facts: dict[str, str]  # what its header says, in the order to show it
    table: list[dict[str, str]]  # a file's arrays, a localization's events, a store's failures


def check_artifact(path: Location | str) -> bool:
    """Check a file against its digests, and that its numbers are finite, in little memory.

    Returns whether it has digests (format 1 has none); `ArtifactError` if it is damaged.
    """
    with staged(as_location(path)) as file:
        kind, has_digest = identify(file)
        read_artifact(file, kind, _PARSERS[kind], Depth.PIECES)
    return has_digest


def describe(file: Location | str) -> Description:
    """Show what is in an avloc file or a feature store.

    That is its schema, all its fields, and the name, shape and type of each array. Of a
    localization it shows the events, of a store the videos that failed. The content of arrays is
    not read; avloc verify checks it.

    Args:
        file: A file that avloc wrote, or a feature store.
    """
    location = as_location(file)
    if is_folder(location):
        return _describe_store(FeatureStore.open(location))
    with staged(location) as path:
        return _describe_artifact(path)


def _describe_artifact(path: Path) -> Description:
    kind, _ = identify(path)

    def described(arrays: Arrays, header: dict[str, Any]) -> Description:
        return _describe_file(kind, arrays, header, _PARSERS[kind](arrays, header))

    return read_artifact(path, kind, described, Depth.HEADERS)


def _describe_file(
    kind: str, arrays: Arrays, header: dict[str, Any], content: object
) -> Description:
    facts = _facts({name: header[name] for name in header if name not in ("arrays", "events")})
    table = [
        {"array": path, "shape": str(shape), "type": str(dtype)}
        for path, (dtype, shape) in arrays.read_types.items()
    ]
    if isinstance(content, Timeline):
        table = [{n: _in_words(v) for n, v in asdict(event).items()} for event in content]
    elif kind == "model":
        facts["weights"] = _weights(arrays)
        if arrays.has("resume"):
            facts["unfinished"] = "avloc train --resume continues it"
    return Description(kind, facts, table)


def _weights(arrays: Arrays) -> str:
    weights = [kind for path, kind in arrays.read_types.items() if path.startswith("weights/")]
    sizes = [math.prod(shape) for _, shape in weights]
    n_bytes = sum(dtype.itemsize * n for (dtype, _), n in zip(weights, sizes, strict=True))
    return f"{len(sizes)} tensors, {sum(sizes):,} parameters, {n_bytes:,} bytes"


def _describe_store(store: FeatureStore) -> Description:
    failures = store.failures()
    facts = {
        "data set": store.dataset_root or "none",
        "videos": len(store.video_ids()),
        "failures": len(failures),
        "fingerprint": store.fingerprint,
        "spec": store.spec.as_dict(),
    }
    table = [{"failed video": failure.video_id, "reason": failure.reason} for failure in failures]
    return Description("feature store", _facts(facts), table)


def _facts(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            facts |= _facts(value, f"{prefix}{name}: ")
        else:
            facts[f"{prefix}{name}"] = _in_words(value)
    return facts


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        more = ", ..." if len(value) > _MOST_VALUES else ""
        return ", ".join(map(_in_words, value[:_MOST_VALUES])) + more or "none"
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)
