"""Published scores are reproduced within their tolerance."""

import pytest

from fixtures.options import session_options
from papergate.words import say


def test_score_is_reproduced(acceptance, pytestconfig):
    if acceptance.accepted:
        return
    sentence = say(acceptance.note, session_options(pytestconfig).language)
    if acceptance.breaks:
        pytest.fail(sentence, pytrace=False)
    pytest.xfail(sentence)  # the policy lets it be broken: JUnit calls it skipped, with the sentence
