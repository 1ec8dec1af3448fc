"""What one completion looks like: complete, or damaged in one of a few ways; one kind each, the surest sign first."""

from enum import StrEnum

from papergate.diagnosis.signs import is_foreign, is_garbled, is_loop
from papergate.engines.records import BEGIN_OF_THOUGHT, END_OF_THOUGHT, Completion, Finish
from papergate.thoughts import ThoughtMarks, marks_in

FEWEST_BYTES_PER_TOKEN = 1.2
"""Bytes of text for each token that the server counted. Healthy answers of R1-Distill-Llama-8B have at least 1.87; text
that lost its thought on the way has less."""
FEWEST_COUNTED = 200
"""Tokens from which on their ratio to the text says something."""
FILTERS = ("content_filter", "sensitive", "safety", "moderation")
"""Finish reasons of servers that withhold an answer for what it says."""


class Kind(StrEnum):
    """How a completion looks."""

    COMPLETE = "complete"
    CUT_IN_THOUGHT = "cut in the thought by the limit"
    STOPPED_IN_THOUGHT = "stopped in the thought"
    """It ended of itself, or at a stop string, before the thought was closed."""
    CUT_IN_ANSWER = "cut in the answer"
    ANSWER_MISSING = "nothing after the thought"
    THOUGHT_MISSING = "no thought"
    """The thought is there and empty: a template without thinking."""
    THOUGHT_LOST = "thought lost on the way"
    """Far more tokens were counted than the text has: a gateway dropped the thought."""
    MARK_LOST = "closing mark of the thought lost"
    """Thought and answer arrived in one, without the mark between them."""
    EMPTY = "empty"
    LOOP = "loop"
    GARBLED = "garbled"
    FOREIGN = "other language"
    REFUSED = "refused"
    FILTERED = "ended by the server's filter"
    ENDED = "ended by the server"
    """For a reason of its own, such as a loop that it noticed."""
    FAILED = "failed"


ALIKE_BY_DAMAGE = frozenset({Kind.LOOP, Kind.GARBLED, Kind.EMPTY, Kind.REFUSED, Kind.FILTERED, Kind.ENDED})
"""Kinds of completions that may repeat each other without being copies."""


def kind_of(completion: Completion, *, thinks: bool, prompt: str = "", marks: ThoughtMarks | None = None) -> Kind:
    """The kind of ``completion``.

    Args:
        completion: One sample, as stored.
        thinks: Whether the deployment's model closes a thought before it answers.
        prompt: The user turn; scripts that it uses are at home in the answer.
        marks: The model's own marks of its thought, beside the known ones.
    """
    text = completion.text or ""
    return (
        _by_the_server(completion)
        or (Kind.EMPTY if not text.replace(BEGIN_OF_THOUGHT, "").replace(END_OF_THOUGHT, "").strip() else None)
        or _by_its_letters(text, prompt)
        or _by_its_thought(completion, text, thinks=thinks, marks=marks)
        or (Kind.FOREIGN if is_foreign(text, prompt) else Kind.COMPLETE)
    )


def _by_the_server(completion: Completion) -> Kind | None:
    if completion.finish is Finish.OTHER:
        reason = (completion.finish_reason or "").lower()
        return Kind.FILTERED if any(name in reason for name in FILTERS) else Kind.ENDED
    return {Finish.FAILED: Kind.FAILED, Finish.REFUSED: Kind.REFUSED}.get(completion.finish)


def _by_its_letters(text: str, prompt: str) -> Kind | None:
    if is_garbled(text, prompt):
        return Kind.GARBLED
    return Kind.LOOP if is_loop(text) else None


def _by_its_thought(completion: Completion, text: str, *, thinks: bool, marks: ThoughtMarks | None) -> Kind | None:
    """What is wrong with the thought or with what follows it."""
    closing = [mark for mark in marks_in(text, marks) if mark.closes]
    cut = completion.finish is Finish.LENGTH
    if not closing:
        return _unclosed(completion, text, cut=cut) if thinks else Kind.CUT_IN_ANSWER if cut else None
    if len(closing) > 1 and not text[closing[-1].end :].strip():
        closing.pop()  # the mark was sent again, after the answer
    thought, answer = text[: closing[-1].start], text[closing[-1].end :]
    if not answer.strip():
        return Kind.CUT_IN_ANSWER if cut else Kind.ANSWER_MISSING
    if cut:
        return Kind.CUT_IN_ANSWER
    if thinks and not thought.replace(BEGIN_OF_THOUGHT, "").strip():
        return Kind.THOUGHT_LOST if _lacks_text(completion) else Kind.THOUGHT_MISSING
    return None


def _unclosed(completion: Completion, text: str, *, cut: bool) -> Kind:
    if cut:
        return Kind.CUT_IN_THOUGHT
    if _lacks_text(completion):
        return Kind.THOUGHT_LOST
    return Kind.MARK_LOST if "\\boxed" in text[-MARK_LOST_TAIL:] else Kind.STOPPED_IN_THOUGHT


MARK_LOST_TAIL = 300
"""Characters at the end of an answer in which it concludes."""


def _lacks_text(completion: Completion) -> bool:
    tokens = completion.output_tokens or 0
    return tokens >= FEWEST_COUNTED and len((completion.text or "").encode()) < FEWEST_BYTES_PER_TOKEN * tokens
