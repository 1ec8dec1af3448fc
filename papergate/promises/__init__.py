"""What is promised: published scores (papers/*.toml) and deployments on hardware (targets/*.toml)."""

from papergate.promises.files import PAPERS, TARGETS, read_papers, read_promises, read_targets
from papergate.promises.records import Deployment, Hardware, Paper, Promise, PromisedScore, Sampling, Target
from papergate.promises.tolerance import Tolerance

__all__ = [
    "PAPERS",
    "TARGETS",
    "Deployment",
    "Hardware",
    "Paper",
    "Promise",
    "PromisedScore",
    "Sampling",
    "Target",
    "Tolerance",
    "read_papers",
    "read_promises",
    "read_targets",
]
