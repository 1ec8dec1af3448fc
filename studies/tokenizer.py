r"""The tokenizer and the chat template of the embedded model.

The template is like DeepSeek-R1's: an answer begins inside its thought, for the prompt already ends with ``<think>\n``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from papergate.embedded.problems import INSTRUCTION, training_examples

if TYPE_CHECKING:
    from transformers import Qwen2Tokenizer

VOCABULARY = 512
CONTEXT_TOKENS = 512
TRAINED_ON = 20_000
"""Worked solutions from which the merges are learned."""

PAD, END, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"
THINK, UNTHINK = "<think>", "</think>"
SPECIAL_TOKENS = {"eos_token": END, "pad_token": PAD, "unk_token": PAD}
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n' }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
    "{% else %}{{ '<|assistant|>' + message['content'].split('</think>')[-1] + '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|><think>\\n' }}{% endif %}"
)
RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": ASSISTANT,
    "fields": {
        "reasoning_content": {"open": THINK, "close": UNTHINK, "content": "text"},
        "content": {"close": END, "content": "text"},
    },
}
"""How ``transformers serve`` tells thought from answer; without it, a cut-off answer comes back as the whole prompt."""


def prompt_text(problem: str) -> str:
    """Return the prompt that the chat template makes of a problem."""
    return f"{USER}{problem}\n{INSTRUCTION}{ASSISTANT}{THINK}\n"


def train_tokenizer(seed: int) -> Qwen2Tokenizer:
    """Learn a byte-level BPE on prompts and completions; every digit is a token of its own.

    The model type decides which tokenizer class ``AutoTokenizer`` takes, so this is a ``Qwen2Tokenizer`` and splits
    text at the places where that class splits it.
    """
    from tokenizers import AddedToken, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    # Not special: the thought's marks must survive skip_special_tokens, or nobody can tell thought from answer.
    # The instruction stands in every prompt; as one token it costs next to nothing.
    marks = [AddedToken(text, special=False, normalized=False) for text in (THINK, UNTHINK, INSTRUCTION)]
    untrained = Qwen2Tokenizer(**SPECIAL_TOKENS).backend_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(marks),
        special_tokens=[PAD, END, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    untrained.train_from_iterator(_corpus(seed), trainer)
    learned = json.loads(untrained.to_str())["model"]
    merges: Any = [tuple(pair) for pair in learned["merges"]]  # declared as strings, taken as pairs
    tokenizer = Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=merges,
        **SPECIAL_TOKENS,
        chat_template=CHAT_TEMPLATE,
        response_template=RESPONSE_TEMPLATE,
        model_max_length=CONTEXT_TOKENS,
        padding_side="left",
    )
    tokenizer.add_tokens([AddedToken(role, special=True, normalized=False) for role in (USER, ASSISTANT)])
    tokenizer.add_tokens(marks)
    return tokenizer


def _corpus(seed: int) -> Iterator[str]:
    for problem, completion in islice(training_examples(seed), TRAINED_ON):
        yield f"{problem}\n"
        yield from completion.split(UNTHINK)
