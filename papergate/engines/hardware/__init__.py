"""What this machine has, as the vendors' own tools tell it: a module for each, and one question for all."""

from papergate.engines.hardware.demand import demand, differences, why_not_here
from papergate.engines.hardware.machine import PROBES, cpu, environment, look
from papergate.engines.hardware.records import Device, Found

__all__ = ["PROBES", "Device", "Found", "cpu", "demand", "differences", "environment", "look", "why_not_here"]
