"""A run whose answers are damaged names the cause in its record, in JUnit and on the page; a healthy one names none."""

from dataclasses import replace

import pytest

from papergate.acceptance import accept, manifest_of
from papergate.acceptance.saving import record_of
from papergate.completions.store import Store
from papergate.engines import Finish
from papergate.errors import AnswersDamaged
from papergate.reports.junit import properties
from papergate.reports.page import write_page
from papergate.words import say
from tests.meta.acceptance.test_acceptance import ScriptedEngine
from tests.meta.acceptance.test_acceptance import case_of as asked_case
from tests.meta.tiny_runs import PAPER, accepted, case_of, completions_of, like_the_paper

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
    assert said in say(cause)
    assert said in record.sentence
    found = dict(properties(record))
    assert found["cause_code"] == code
    assert said in found["cause"]
    write_page([record], [], tmp_path, [])
    assert said in (tmp_path / "report.html").read_text()


class Damaged(ScriptedEngine):
    """Damages the answers to every n-th request."""

    def __init__(self, every, text, chance=PAPER):
        super().__init__(chance)
        self.every, self.text = every, text

    async def complete(self, request):
        done = await super().complete(request)
        return replace(done, text=self.text) if len(self.asked) % self.every == 0 else done


def asked(engine, folder, **settings):
    case = asked_case(**settings)
    with Store.open(folder, manifest_of(case)) as store:
        return accept(case, engine, store)


def test_garbled_answers_stop_the_run_after_tens_of_them(tmp_path):
    engine = Damaged(4, "!" * 400)
    with pytest.raises(AnswersDamaged, match=r"asking was stopped after \d+ answers: \d+ % of answers are garbled"):
        asked(engine, tmp_path)
    assert len(engine.asked) <= 60


def test_what_is_stored_counts_when_a_run_goes_on(tmp_path):
    with pytest.raises(AnswersDamaged):
        asked(Damaged(2, "!" * 400), tmp_path)
    again = ScriptedEngine(PAPER)
    with pytest.raises(AnswersDamaged):
        asked(again, tmp_path, samples=1)
    assert len(again.asked) < 30


def test_damage_that_the_promise_can_bear_stops_nothing(tmp_path):
    engine = Damaged(60, "!" * 400)
    found = asked(engine, tmp_path, samples=8)
    assert len(engine.asked) == 240
    assert [cause.code for cause in found.causes] == []
    assert found.kinds["garbled"] == 4
