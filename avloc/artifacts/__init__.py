"""The HDF5 files between the stages: schema, version, atomic write; the only importer of h5py."""

from avloc.artifacts.address import Address, Location, as_location, is_address, resolved
from avloc.artifacts.atomic import atomic_path, check_writable, claim, write_text
from avloc.artifacts.comparison_file import Comparison, read_comparison, write_comparison
from avloc.artifacts.digests import sha256_of
from avloc.artifacts.features_file import (
    FeatureWriter,
    VideoFeatures,
    read_features,
    write_features,
)
from avloc.artifacts.inspection import check_artifact, describe
from avloc.artifacts.localization_file import (
    localization_key,
    read_localization,
    write_localization,
)
from avloc.artifacts.model_file import ModelFile, model_identity, read_model, write_model
from avloc.artifacts.objects import staged
from avloc.artifacts.predictions_file import Predictions, read_predictions, write_predictions
from avloc.artifacts.store import Failure, FeatureStore

__all__ = [
    "Address",
    "Comparison",
    "Failure",
    "FeatureStore",
    "FeatureWriter",
    "Location",
    "ModelFile",
    "Predictions",
    "VideoFeatures",
    "as_location",
    "atomic_path",
    "check_artifact",
    "check_writable",
    "claim",
    "describe",
    "is_address",
    "localization_key",
    "model_identity",
    "read_comparison",
    "read_features",
    "read_localization",
    "read_model",
    "read_predictions",
    "resolved",
    "sha256_of",
    "staged",
    "write_comparison",
    "write_features",
    "write_localization",
    "write_model",
    "write_predictions",
    "write_text",
]
