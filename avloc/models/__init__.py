"""Models: features in, logits per segment out; one paper a file, built by name."""

from avloc.models.model import Model, ModelOptions, ModelOutput
from avloc.models.registry import build, list_models, model_class, origin_of, register
from avloc.models.restore import load_arrays, restore, state_arrays

__all__ = [
    "Model",
    "ModelOptions",
    "ModelOutput",
    "build",
    "list_models",
    "load_arrays",
    "model_class",
    "origin_of",
    "register",
    "restore",
    "state_arrays",
]
