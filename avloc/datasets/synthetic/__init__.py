"""A made data set: raw clips whose truth is known, in AVE's layout.

A class is a look (shape, texture, motion: :mod:`~.looks`) with a sound (:mod:`~.sounds`);
or a folder of photographs with one of recordings (:mod:`~.media_cast`);
:mod:`~.composition` decides what happens in a clip, :mod:`~.picture` and
:mod:`~.soundtrack` show it and let it be heard, :mod:`~.generation` writes the files.
"""

from avloc.datasets.synthetic.generation import synthesize
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig

__all__ = ["SynthesisConfig", "synthesize"]
