"""What tests of the diagnosis share."""

import os

import pytest
from filelock import FileLock

from papergate.acceptance.drifting import Making
from papergate.acceptance.options import Options
from papergate.gate import golden_made
from papergate.run_folder.files import GOLDEN_ANSWERS_FILE
from papergate.run_folder.golden_answers import GoldenAnswers, write_golden_answers


@pytest.fixture(scope="session")
def golden_answers(tmp_path_factory):
    """Golden answers of the embedded model, as `papergate golden make cpu` draws them."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "golden-answers"
    with FileLock(f"{folder}.lock"):  # of several workers, one draws them
        if not folder.exists():
            run = tmp_path_factory.mktemp("golden")
            drawn = golden_made(Options(run=run), target="cpu", making=Making(answers=40), say_so=lambda _: None)
            folder.mkdir()
            write_golden_answers(folder, drawn)
    return GoldenAnswers.read(folder / GOLDEN_ANSWERS_FILE)
