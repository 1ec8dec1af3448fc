"""The model and the problems that ship with papergate.

``problems`` writes two benchmarks, ``tiny-aime`` and ``tiny-math``, and worked solutions to train on; ``train`` trains
the model that stands in ``MODEL_DIR``. Together they are a whole deployment in four megabytes: a test double with
real weights, real sampling and real mistakes, on which the gate itself can be tried anywhere.
"""

from pathlib import Path

EMBEDDED = "papergate-tiny"
"""The name of the shipped model."""
MODEL_DIR = Path(__file__).parent / EMBEDDED
"""Its folder, ready for ``from_pretrained`` and for engines."""


def folder_of(model: str) -> str:
    """Where the weights of ``model`` are: the embedded model's folder for its name, else ``model`` as it stands."""
    return str(MODEL_DIR) if model == EMBEDDED else model
