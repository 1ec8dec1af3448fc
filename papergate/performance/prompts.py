"""Prompts of exactly the length that a workload asks for, in the server's own tokens."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from papergate.errors import WorkloadError
from papergate.files import MOST_DATA, parsed, read_plain, text_of
from papergate.performance.tokens import Counter
from papergate.performance.workloads import WORKLOADS, Conversations, Made, Workload
from papergate.run_folder.notes import note
from papergate.words import worded

OWN_TEXT = WORKLOADS / "text.txt"
FILLERS = ("a", "I", "so", "1", "2", "3", "4", "5", "x", "y")
"""Short words that close a gap: some of them are a single token in every tokenizer that was met."""
MOST_TRIALS = 200
"""Trials for one prompt; a length that is not hit by then cannot be hit with these words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One request of a workload."""

    text: str
    input_tokens: int
    """As the server counts them, chat template included."""
    output_tokens: int
    """The most it may draw."""


def make_prompts(workload: Workload, counter: Counter, *, salt: str, context_tokens: int | None) -> tuple[Prompt, ...]:
    """The workload's warm-up prompts, then its measured ones.

    ``salt`` changes every text and no length, so that no prompt is answered from the cache of an earlier run.

    Raises:
        WorkloadError: the workload does not fit into the context, or its lengths cannot be made.
    """
    count = workload.warmup_requests + workload.count
    source = random.Random(f"{workload.name} {workload.seed} {salt}")  # noqa: S311 - repeatable, nothing secret
    prompts = workload.prompts
    if isinstance(prompts, Conversations):
        return _refuse_longer(workload, _conversations(prompts, count, counter, source), context_tokens)
    _refuse_beyond(workload, prompts.input_tokens + prompts.output_tokens, context_tokens)
    return tuple(_made(prompts, count, Ruler(count=counter.prompt), source))


class Ruler:
    """Makes texts of an exact length in tokens; it learns how many tokens a word has."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self.template = count("")
        """Tokens of an empty prompt."""
        self._per_word = 1.0
        self._fillers = self._single_tokens() or FILLERS

    def text(self, begin: str, words: Iterator[str], target: int) -> str:
        """``begin``, then as many of ``words`` as make ``target`` tokens in all.

        Raises:
            WorkloadError: no number of them does.
        """
        taken: list[str] = []
        fillers = cycle(self._fillers)
        gap = target - self.template - round(self._per_word * len(begin.split()))
        for _ in range(MOST_TRIALS):
            if gap < 0:
                del taken[-max(1, round(-gap / self._per_word)) :]
            elif gap >= self._per_word:
                taken += islice(words, int(gap / self._per_word))
            else:
                taken += islice(fillers, gap)
            text = " ".join([begin, *taken] if begin else taken)
            gap = target - self._measured(text)
            if gap == 0:
                return text
        raise worded(WorkloadError, note("prompt_not_made", tokens=target, gap=-gap))

    def _single_tokens(self) -> tuple[str, ...]:
        """The fillers that are one token behind another word: without them, the last tokens would cost many trials."""
        alone = self._count("so")
        return tuple(each for each in FILLERS if self._count(f"so {each}") == alone + 1)

    def _measured(self, text: str) -> int:
        tokens = self._count(text)
        self._per_word = max(1.0, (tokens - self.template) / max(1, len(text.split())))
        return tokens


def _made(made: Made, count: int, ruler: Ruler, source: random.Random) -> Iterator[Prompt]:
    words = _words(Path(made.text) if made.text else OWN_TEXT, source, by_line=made.kind == "verse")
    prefix = ruler.text("", words, ruler.template + made.prefix_tokens) if made.prefix_tokens else ""
    for _ in range(count):
        text = ruler.text(prefix, words, made.input_tokens)
        yield Prompt(text=text, input_tokens=made.input_tokens, output_tokens=made.output_tokens)


def _words(path: Path, source: random.Random, *, by_line: bool) -> Iterator[str]:
    """Words without end: those of lines in random order, or single words at random."""
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    if not lines:
        raise worded(WorkloadError, note("prompts_empty", file=f"{path}"))
    units = lines if by_line else [[word] for line in lines for word in line]
    while True:
        yield from source.choice(units)


def _conversations(asked: Conversations, count: int, counter: Counter, source: random.Random) -> tuple[Prompt, ...]:
    assert asked.file
    turns = _first_turns(Path(asked.file))
    source.shuffle(turns)
    found: list[Prompt] = []
    for question, answer in turns:
        if len(found) == count:
            break
        prompt = Prompt(text=question, input_tokens=counter.prompt(question), output_tokens=_length(answer, counter))
        if _fits(prompt, asked):
            found.append(prompt)
    if len(found) < count:
        raise worded(WorkloadError, note("prompts_too_few", file=f"{asked.file}", found=len(found), count=count))
    return tuple(found)


def _fits(prompt: Prompt, asked: Conversations) -> bool:
    shortest = min(prompt.input_tokens, prompt.output_tokens)
    together = prompt.input_tokens + prompt.output_tokens
    return (
        shortest >= asked.fewest_tokens
        and prompt.input_tokens <= asked.most_input_tokens
        and together <= asked.most_tokens
    )


def _length(answer: str, counter: Counter) -> int:
    if (length := counter.text(answer)) is None:
        raise worded(WorkloadError, note("answers_uncounted"))
    return length


def _text(path: Path) -> str:
    try:
        return text_of(read_plain(path, most=MOST_DATA))
    except (OSError, UnicodeDecodeError) as error:
        raise worded(WorkloadError, note("prompts_unread", file=f"{path}", error=f"{error}")) from error


def _first_turns(path: Path) -> list[tuple[str, str]]:
    """The first question and answer of each conversation.

    Raises:
        WorkloadError: the file is no list of conversations.
    """
    try:
        entries: Any = parsed(_text(path))
        talks = [entry["conversations"] for entry in entries]
        return [(talk[0]["value"], talk[1]["value"]) for talk in talks if _is_question_and_answer(talk)]
    except (ValueError, TypeError, LookupError) as error:
        raise WorkloadError(
            f'{path}: no file of conversations ({error}); accepted: [{{"conversations": [{{"from": "human", "value": '
            '"..."}, {"from": "gpt", "value": "..."}]}, ...]'
        ) from error


def _is_question_and_answer(talk: Sequence[dict[str, str]]) -> bool:
    return [turn["from"] for turn in talk[:2]] in (["human", "gpt"], ["user", "assistant"])


def _refuse_longer(workload: Workload, prompts: tuple[Prompt, ...], context_tokens: int | None) -> tuple[Prompt, ...]:
    _refuse_beyond(workload, max(prompt.input_tokens + prompt.output_tokens for prompt in prompts), context_tokens)
    return prompts


def _refuse_beyond(workload: Workload, needed: int, context_tokens: int | None) -> None:
    if context_tokens is not None and needed > context_tokens:
        raise worded(
            WorkloadError, note("workload_too_long", workload=workload.name, needed=needed, context=context_tokens)
        )
