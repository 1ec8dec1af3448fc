"""What tests of the diagnosis share."""

import pytest

from papergate.acceptance.drifting import Making
from papergate.acceptance.options import Options
from papergate.gate import golden_made


@pytest.fixture(scope="session")
def golden_answers(tmp_path_factory):
    """Golden answers of the embedded model, as `papergate golden make cpu` draws them."""
    run = tmp_path_factory.mktemp("golden")
    return golden_made(Options(run=run), target="cpu", making=Making(answers=40), say_so=lambda _: None)
