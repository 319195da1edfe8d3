"""Videos in, one embedding a segment out: encoders, their weights, and extraction."""

from avloc.features.architectures import list_audio_encoders, list_visual_encoders
from avloc.features.encoders import Encoder, Encoders, encoders_for, load_encoders
from avloc.features.extraction import ExtractionReport, extract, extract_video
from avloc.features.weights import WeightsPolicy, WeightsRecord, cache_folder
from avloc.spec import FeatureSpec

__all__ = [
    "Encoder",
    "Encoders",
    "ExtractionReport",
    "FeatureSpec",
    "WeightsPolicy",
    "WeightsRecord",
    "cache_folder",
    "encoders_for",
    "extract",
    "extract_video",
    "list_audio_encoders",
    "list_visual_encoders",
    "load_encoders",
]
