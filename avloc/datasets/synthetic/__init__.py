"""An artificial data set: raw clips with known events, senses and boxes."""

from avloc.datasets.synthetic.generation import synthesize
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.datasets.synthetic.truth import read_inconsistency

__all__ = ["SynthesisConfig", "read_inconsistency", "synthesize"]
