"""A run whose answers are damaged names the cause in its record, in JUnit and on the page; a healthy one names none."""

from dataclasses import replace

import pytest

from papergate.acceptance.saving import record_of
from papergate.engines import Finish
from papergate.reports.junit import properties
from papergate.reports.page import write_page
from papergate.words import english
from tests.meta.tiny_runs import accepted, case_of, completions_of, like_the_paper

K = 4


def record_with(**damage):
    """The record of a run whose every fifth completion has other fields."""
    completions = completions_of(like_the_paper, K)
    return record_of(
        accepted(case_of(), [replace(c, **damage) if n % 5 == 0 else c for n, c in enumerate(completions)], K)
    )


def test_a_healthy_run_has_no_cause():
    record = record_with()
    assert record.causes == ()
    assert record.kinds == {"complete": 30 * K}


@pytest.mark.parametrize(
    ("damage", "code", "said"),
    [
        ({"text": "so I think", "finish": Finish.LENGTH, "output_tokens": 77}, "server-cap", "stop at 77 tokens"),
        ({"text": "so I think", "output_tokens": 77}, "server-cap", "stop at 77 tokens"),
        ({"text": "!" * 400}, "garbled", "20 % of answers are garbled"),
        ({"text": ""}, "empty-answers", "20 % of answers are empty"),
        ({"text": "<think>\n\n</think>\n\n\\boxed{1}"}, "no-thought", "chat template turns thinking off"),
    ],
)
def test_damage_is_named_wherever_a_reader_looks(tmp_path, damage, code, said):
    record = record_with(**damage)
    (cause,) = record.causes
    assert cause.code == f"cause_{code}"
    assert cause.values["count"] == 24
    assert said in english.sentence(cause)
    found = dict(properties(record))
    assert found["cause_code"] == code
    assert said in found["cause"]
    write_page([record], [], tmp_path, [])
    assert said in (tmp_path / "report.html").read_text()
