"""What tests of papergate itself share: the profiles of Hypothesis."""

from tests import profiles as profiles  # noqa: PLC0414
