"""Servers that papergate starts, watches and stops."""
