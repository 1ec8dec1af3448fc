"""The tool that a document evaluates with: how it asks and grades each benchmark, as its release of the day did."""

from typing import Annotated, Literal

from pydantic import Field

from papergate.promises.base import Count, Name, Record, Text, Unknown

RequestField = Literal[
    "model",
    "messages",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "seed",
    "n",
    "add_special_tokens",
]
"""What a tool may set in the body of a request.

``seed`` is null, ``n`` 1, ``add_special_tokens`` true. ``min_p``, ``repetition_penalty`` and a ``top_k`` that the
document does not state change nothing: a server that reads the model's generation_config must be told so.
"""
GraderMode = Literal["strict", "aisbench", "math-verify", "open-r1", "opencompass", "first-capital", "first-option"]
"""Whose rules grade: papergate's own (strict), or those of a tool."""


class Task(Record):
    """How the tool asks one benchmark, and by which rules it grades."""

    benchmark: Name
    prompt: Text
    """The user turn; fields in braces stand for the row's own text, outer white space included."""
    variant: str = ""
    """The text of the benchmark that the tool has, by its name among the benchmark's variants."""
    grader: GraderMode = "strict"
    shots: Annotated[int, Field(ge=0, le=5)] = 0
    """Solved problems of the same subject that stand before, as turns of a conversation."""
    shot_answer: str = ""
    """The assistant's turn of such a problem."""


class Tool(Record):
    """One file of ``tools/``."""

    name: Name
    title: Text
    source: Text
    fields: Annotated[tuple[RequestField, ...], Field(min_length=1)]
    """The body of a request, in the order in which the tool writes it."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    batches: bool = False
    """Whether the next requests are sent only when the slowest of the present ones is answered."""
    attempts: Count = 1
    """Times that a request is tried in all."""
    timeout_s: Annotated[float, Field(gt=0)] | None = None
    unknown: tuple[Unknown, ...] = ()
    otherwise: tuple[Text, ...] = ()
    """What the `vendor` protocol does otherwise, whatever the options."""

    def task(self, benchmark: str) -> Task | None:
        """How it asks ``benchmark``; None where it is not known."""
        return next((task for task in self.tasks if task.benchmark == benchmark), None)
