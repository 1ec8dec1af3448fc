"""Published scores are reproduced within their tolerance."""

import pytest

from fixtures.options import session_options
from papergate.words import say


def test_score_is_reproduced(acceptance, pytestconfig):
    if not acceptance.accepted:
        pytest.fail(say(acceptance.note, session_options(pytestconfig).language), pytrace=False)
