"""Stored completions in the layouts of several tools: a module a tool, one record for the rows of all of them."""

from papergate.engines.logs.layouts import read_log
from papergate.engines.logs.rows import Row

__all__ = ["Row", "read_log"]
