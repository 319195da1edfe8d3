"""An artificial data set: raw clips with known events and boxes, in AVE's layout.

A class has a look and a sound: formulas (:mod:`~.looks`, :mod:`~.sounds`), or a folder of
photographs and one of recordings; :mod:`~.material` offers both alike. :mod:`~.composition`
plans a clip, :mod:`~.rendering` draws it and mixes its sound, :mod:`~.generation` writes the files.
"""

from avloc.datasets.synthetic.generation import synthesize
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

__all__ = ["SynthesisConfig", "synthesize"]
