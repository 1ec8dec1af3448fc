"""Hypothesis profiles: `dev` is quick, `ci` is reproducible, `deep` runs for long. Named in HYPOTHESIS_PROFILE.

None has a limit of time: a busy machine must not make an example fail.
"""

import os

from hypothesis import HealthCheck, settings

TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("dev", TIMELESS, max_examples=100)
settings.register_profile("ci", TIMELESS, max_examples=200, derandomize=True, print_blob=True)
settings.register_profile(
    "deep",
    TIMELESS,
    max_examples=20_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
