"""Published scores are reproduced within their tolerance."""

import pytest


def test_score_is_reproduced(acceptance):
    if not acceptance.accepted:
        pytest.fail(acceptance.sentence, pytrace=False)
