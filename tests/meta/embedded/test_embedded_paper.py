"""The embedded model's paper prints what its counts say, and the shipped weights are those that were measured."""

import json
from decimal import Decimal

import pytest

from papergate.embedded import MODEL_DIR
from papergate.engines.weights import digest_of_weights
from papergate.promises import PAPERS, read_papers

COUNTS = json.loads((PAPERS / "papergate-tiny.counts.json").read_text(encoding="utf-8"))
PAPER = read_papers([PAPERS])["papergate-tiny"]


@pytest.mark.parametrize(("name", "problems"), [("tiny-aime", 30), ("tiny-math", 500)])
def test_the_printed_score_is_the_mean_of_its_counts(name, problems):
    counts, samples = COUNTS["correct"][name], COUNTS["made"]["samples"]
    assert len(counts) == problems
    assert samples >= 64
    mean = 100 * Decimal(sum(counts.values())) / (problems * samples)
    assert PAPER.score("papergate-tiny", name).percent == round(mean, 2)
    assert PAPER.score("papergate-tiny", name).samples == samples


def test_the_model_is_right_often_but_not_always():
    assert all(60 < row.percent < 95 for row in PAPER.scores)


def test_the_shipped_weights_are_those_that_were_measured():
    assert digest_of_weights(MODEL_DIR) == COUNTS["made"]["engine"]["revision"]
