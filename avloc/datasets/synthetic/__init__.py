"""An artificial data set: raw clips with known events and boxes, in AVE's layout."""

from avloc.datasets.synthetic.generation import synthesize
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

__all__ = ["SynthesisConfig", "synthesize"]
