"""What is promised: published scores (papers/*.toml) and deployments on hardware (targets/*.toml)."""

from papergate.promises.files import PAPERS, TARGETS, TOOLS, read_papers, read_promises, read_targets, read_tools
from papergate.promises.fleet import Fleet, read_fleet
from papergate.promises.records import Deployment, Hardware, Paper, Promise, PromisedScore, Sampling, Target
from papergate.promises.tolerance import Tolerance
from papergate.promises.tool import Task, Tool

__all__ = [
    "PAPERS",
    "TARGETS",
    "TOOLS",
    "Deployment",
    "Fleet",
    "Hardware",
    "Paper",
    "Promise",
    "PromisedScore",
    "Sampling",
    "Target",
    "Task",
    "Tolerance",
    "Tool",
    "read_fleet",
    "read_papers",
    "read_promises",
    "read_targets",
    "read_tools",
]
