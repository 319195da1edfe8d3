"""Models: features in, logits per segment out; one paper a file, built by name."""

from avloc.models.attention import GlobalContextSelfAttention, SpatialAttention
from avloc.models.avel import AVEL, AVELConfig
from avloc.models.avsdn import AVSDN, AVSDNConfig
from avloc.models.cam import CAM, CAMConfig
from avloc.models.cman import CMAN, CMANConfig
from avloc.models.co_attention import CoAttended, SentinelCoAttention, StreamStates
from avloc.models.model import Model
from avloc.models.output import ModelOutput
from avloc.models.registry import build, list_models, model_class
from avloc.models.restore import restore, state_arrays
from avloc.models.scaling import Scaling
from avloc.models.sentinel import SentinelLSTM

__all__ = [
    "AVEL",
    "AVSDN",
    "CAM",
    "CMAN",
    "AVELConfig",
    "AVSDNConfig",
    "CAMConfig",
    "CMANConfig",
    "CoAttended",
    "GlobalContextSelfAttention",
    "Model",
    "ModelOutput",
    "Scaling",
    "SentinelCoAttention",
    "SentinelLSTM",
    "SpatialAttention",
    "StreamStates",
    "build",
    "list_models",
    "model_class",
    "restore",
    "state_arrays",
]
