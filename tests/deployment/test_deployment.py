"""Before a run: is a deployment set up as its promises need it, and does it compute what the golden one computes?"""

import pytest

from papergate.acceptance.drifting import drift_lines
from papergate.acceptance.preflights import lines_of


@pytest.mark.preflight
def test_deployment_is_set_up_as_promised(preflight_record):
    if preflight_record.failed:
        pytest.fail("\n".join(lines_of(preflight_record)), pytrace=False)


@pytest.mark.drift
def test_deployment_computes_what_the_golden_computes(drift_record):
    if drift_record.result != "pass":
        pytest.fail("\n".join(drift_lines(drift_record)), pytrace=False)
