"""``golden-answers.json``: a trusted deployment's answers with log-probabilities, and by what faithful ones differ."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from papergate.errors import StoreError
from papergate.run_folder.files import GOLDEN_ANSWERS_FILE, require_usable
from papergate.run_folder.stored import Part, Stored

DECIMALS = 7
"""Of a log-probability: what is rounded away changes a divergence by less than 1e-7."""


class GoldenAnswer(Part):
    """One answer, token by token."""

    prompt: str
    """The user turn."""
    prompt_ids: tuple[int, ...]
    """The same with the chat template."""
    ids: tuple[int, ...]
    """The answer's tokens, the one that ended it included."""
    best: tuple[Mapping[int, float], ...]
    """For each of them the most likely tokens and itself, with natural log-probabilities before temperature."""


class Variation(Part):
    """Another way to compute the golden answers, and how far it is from the golden one."""

    name: str
    faithful: bool
    """False of a damaged copy, made to see where harm begins."""
    divergence: float
    """Mean over tokens, over the golden's best 20."""
    excess: float
    """The same from the given token's log-probability alone."""
    divergence_q99: float
    """99 % of resamples of the answers have less."""
    excess_q99: float


class GoldenAnswers(Stored):
    """What a deployment's log-probabilities are compared with."""

    deployment: str
    model: str
    engine: str
    """Name and version of who answered."""
    sampled: tuple[GoldenAnswer, ...]
    """Drawn as the deployment draws; they are given token by token."""
    greedy: tuple[GoldenAnswer, ...]
    """Drawn at temperature 0; another deployment draws its own."""
    texts: Mapping[int, str]
    """Of every token that is named, where it could be told."""
    plain: str
    """A text without chat template."""
    plain_ids: tuple[int, ...] | None = None
    """Its tokens: they tell another tokenizer from another template."""
    variations: tuple[Variation, ...] = Field(default=())
    papergate: str


def require_room_for_golden(folder: Path) -> None:
    """See that ``folder`` can take golden answers, before any is drawn; it is made.

    Raises:
        StoreError: it cannot be written, or holds some already.
    """
    if (folder / GOLDEN_ANSWERS_FILE).exists():
        raise StoreError(f"{folder} holds golden answers already; they are kept. Give another folder: -o FOLDER")
    require_usable(folder, "-o FOLDER")


def write_golden_answers(folder: Path, record: GoldenAnswers) -> Path:
    """Write the golden answers into ``folder``; the file.

    Raises:
        OSError: the disk refused.
    """
    record.write(folder / GOLDEN_ANSWERS_FILE)
    return folder / GOLDEN_ANSWERS_FILE
