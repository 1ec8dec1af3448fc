"""The records of this stage: what a benchmark file says, and the problems once loaded."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, field_validator

from papergate.promises.base import Count, Name, Record, Text

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]
"""A sha256 in lower-case hex; a prefix of at least 12 digits where only that is published."""


class Origin(Record):
    """Where a benchmark can be fetched from, pinned."""

    hub: Literal["huggingface", "modelscope", "archive"]
    repo: Text
    """Name of the repository; address of the archive, a zip."""
    files: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Files of the repository; members of the archive, in whatever folder of it."""
    revision: Text
    """Commit or branch; md5 of the archive."""
    variant: str = ""
    """The text that it has, by its name among the variants: a tool whose document has that text is asked with it."""
    shots: tuple[Text, ...] = ()
    """Files of the solved problems that some tools show before each question."""


class Variant(Record):
    """A published text of the benchmark, known by its digests (definition in ``digests.py``)."""

    name: Text
    strict: Sha256
    loose: Sha256 | None = None
    refused: str = ""
    """Why this text must not be used, for one that leaks solutions or has a wrong gold."""


class BenchmarkSpec(Record):
    """One benchmark file."""

    name: Name
    title: Text
    problems: Annotated[Count, Field(le=10**6)]
    layout: Literal["math", "aime", "gpqa", "mmlu", "cluewsc", "embedded"]
    """The shape of a row: which fields make the problem, the answer and the options."""
    answer: Literal["math", "integer", "choice"]
    """What sort of answer the checker looks for."""
    letters: str = "ABCD"
    """The options of a multiple-choice problem."""
    id_pattern: str = ""
    """What ids of its problems look like, as a regular expression: tells stored completions' benchmark."""
    prompt: Text
    """The user turn; ``{problem}`` and, for options, ``{A}`` .. ``{D}`` stand for the row's own."""
    prompt_source: Text
    licence: Text
    confidential: bool = False
    """Problem text must never be printed, as GPQA's authors ask."""
    origins: tuple[Origin, ...] = ()
    variants: tuple[Variant, ...] = ()
    files: tuple[Sha256, ...] = ()
    """Accepted sha256 of the published file itself, where no digest of the text is published."""
    answers: Sha256 | None = None
    """Digest of ids and answers; of the sorted answers alone in ``answers_sorted``."""
    answers_sorted: Sha256 | None = None
    expected_tokens: Count
    """Rough output tokens per sample of a reasoning model: for plans and for asking the longest first."""

    @field_validator("id_pattern")
    @classmethod
    def _regular(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One question with its gold answer."""

    id: str
    text: str
    """The problem as published; what digests are made of."""
    answer: str
    """The answer as published; what digests are made of."""
    gold: str
    """The right answer as the checker takes it: LaTeX, an integer, or a letter."""
    prompt: str
    """The user turn that is sent."""
    options: tuple[str, ...] = ()
    """The texts of the options of a multiple-choice problem, in the order of their letters."""
    group: tuple[tuple[str, str], ...] = ()
    """Subject, level and the like, for tables: (name, value) pairs."""
    raw: tuple[tuple[str, str], ...] = ()
    """Names and texts that a tool's own prompt may hold, as published: outer white space is kept."""
    solution: str = ""
    """The whole worked solution, where the row has one; some tools take the right answer from it."""
    shots: tuple[tuple[str, str], ...] = ()
    """Turns of user and assistant that stand before the prompt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """A loaded benchmark: its problems, and how far its text is known."""

    spec: BenchmarkSpec
    problems: tuple[Problem, ...]
    digest: str
    """STRICT digest of the text that was loaded."""
    variant: str
    """Name of the known text, or a statement that it is unknown."""
    known: bool
    """Whether ``digest`` is on the list of accepted texts."""
    source: str
    """Where it was read from: a path, or hub, repository and revision."""
    file_sha256: str
