"""Each completion gets the one kind that says what happened to it."""

import pytest

from papergate.diagnosis.kinds import Kind, kind_of
from papergate.engines.records import Completion, Finish

THOUGHT = "I add the numbers and check the sum once more. " * 8
ANSWER = "The sum is \\boxed{5}."


def kind(text, finish=Finish.STOP, *, thinks=True, prompt="", **fields):
    return kind_of(Completion(problem="p", sample=0, text=text, finish=finish, **fields), thinks=thinks, prompt=prompt)


@pytest.mark.parametrize(
    ("expected", "text", "fields"),
    [
        (Kind.COMPLETE, f"<think>{THOUGHT[:200]}</think>{ANSWER}", {}),
        (Kind.CUT_IN_THOUGHT, THOUGHT[:200], {"finish": Finish.LENGTH}),
        (Kind.STOPPED_IN_THOUGHT, THOUGHT[:200], {}),
        (Kind.CUT_IN_ANSWER, f"{THOUGHT[:200]}</think>The sum", {"finish": Finish.LENGTH}),
        (Kind.CUT_IN_ANSWER, f"{THOUGHT[:200]}</think>", {"finish": Finish.LENGTH}),
        (Kind.ANSWER_MISSING, f"{THOUGHT[:200]}</think>\n", {}),
        (Kind.COMPLETE, f"{THOUGHT[:200]}</think>{ANSWER}</think>", {}),
        (Kind.THOUGHT_MISSING, f"<think>\n\n</think>\n\n{ANSWER}", {"output_tokens": 12}),
        (Kind.THOUGHT_LOST, f"</think>{ANSWER}", {"output_tokens": 4000}),
        (Kind.THOUGHT_LOST, ANSWER, {"output_tokens": 4000}),
        (Kind.MARK_LOST, f"{THOUGHT[:200]}\n\n{ANSWER}", {"output_tokens": 60}),
        (Kind.EMPTY, "", {}),
        (Kind.EMPTY, "<think>\n</think>\n", {}),
        (Kind.LOOP, THOUGHT, {"finish": Finish.LENGTH}),
        (Kind.GARBLED, "!" * 500, {"finish": Finish.LENGTH}),
        (Kind.FOREIGN, f"{THOUGHT[:200]}</think>因此答案是五。{ANSWER}", {}),
        (Kind.REFUSED, "I cannot help.", {"finish": Finish.REFUSED}),
        (Kind.FILTERED, "The", {"finish": Finish.OTHER, "finish_reason": "content_filter"}),
        (Kind.ENDED, THOUGHT, {"finish": Finish.OTHER, "finish_reason": "repetition"}),
        (Kind.FAILED, None, {"finish": Finish.FAILED}),
    ],
)
def test_a_thinking_models_completion(expected, text, fields):
    assert kind(text, **fields) is expected


@pytest.mark.parametrize(
    ("expected", "text", "fields"),
    [
        (Kind.COMPLETE, ANSWER, {}),
        (Kind.COMPLETE, "5", {"output_tokens": 1}),
        (Kind.CUT_IN_ANSWER, "The sum", {"finish": Finish.LENGTH}),
    ],
)
def test_a_model_without_thoughts_lacks_none(expected, text, fields):
    assert kind(text, thinks=False, **fields) is expected
