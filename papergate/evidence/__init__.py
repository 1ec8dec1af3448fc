"""WHAT ANYONE CAN CHECK: a run as one file that others recompute, and the check itself."""
