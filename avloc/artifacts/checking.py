"""Every byte of an artifact looked at, and nothing kept."""

from __future__ import annotations

from pathlib import Path

from avloc.artifacts.comparison_file import parse_comparison
from avloc.artifacts.features_file import parse_features
from avloc.artifacts.hdf5 import Parse, identify, read_artifact
from avloc.artifacts.localization_file import parse_localization
from avloc.artifacts.model_file import parse_model
from avloc.artifacts.predictions_file import parse_predictions
from avloc.artifacts.reading import Depth

_PARSERS: dict[str, Parse[object]] = {
    "features": parse_features,
    "model": parse_model,
    "predictions": parse_predictions,
    "localization": parse_localization,
    "comparison": parse_comparison,
}


def check_artifact(path: Path | str) -> bool:
    """Check a file against its digests, and that its numbers are finite, in little memory.

    Returns:
        Whether it has digests: files of format 1 have none, and a changed number is not noticed.

    Raises:
        ArtifactError: it is missing, damaged, or not an avloc file.
    """
    path = Path(path)
    kind, has_digest = identify(path)
    read_artifact(path, kind, _PARSERS[kind], Depth.PIECES)
    return has_digest
