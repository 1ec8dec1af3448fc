"""How models mark their thought: the pair that a target states, and the pairs that are known."""

from typing import NamedTuple


class ThoughtMarks(NamedTuple):
    """The text that opens a thought and the text that closes it, exactly as the model writes them."""

    opens: str
    closes: str


KNOWN_MARKS = (
    ThoughtMarks("<think>", "</think>"),  # DeepSeek-R1, Qwen3, GLM
    ThoughtMarks("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    ThoughtMarks("<|im_start|>think", "<|im_start|>answer"),  # s1
    ThoughtMarks("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),  # gpt-oss
    ThoughtMarks("<|channel|>commentary<|message|>", "<|channel|>final<|message|>"),
    ThoughtMarks("◁think▷", "◁/think▷"),  # Kimi
    ThoughtMarks("<thought>", "</thought>"),  # EXAONE Deep
    ThoughtMarks("<thinking>", "</thinking>"),
    ThoughtMarks("<reasoning>", "</reasoning>"),
    ThoughtMarks("<seed:think>", "</seed:think>"),  # Seed-OSS
    ThoughtMarks("[THINK]", "[/THINK]"),  # Magistral
)
"""The marks that are recognised where a target states none."""
