"""The model and the problems that ship with papergate.

``problems`` writes two benchmarks, ``tiny-aime`` and ``tiny-math``, and worked solutions to train on; ``train`` trains
the model that stands in ``MODEL_DIR``. Together they are a whole deployment in four megabytes: a test double with
real weights, real sampling and real mistakes, on which the gate itself can be tried anywhere.
"""

from pathlib import Path

MODEL_DIR = Path(__file__).parent / "papergate-tiny"
"""The folder of the shipped model, ready for ``from_pretrained`` and for engines."""
