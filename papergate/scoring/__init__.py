"""Is it right: extraction, equivalence, and the pool that can be killed."""

from papergate.scoring.equivalence import equivalent, vote_key
from papergate.scoring.extraction import extract
from papergate.scoring.grading import Grader, check_golds
from papergate.scoring.records import AnswerKind, Attempt, Comparison, Extraction, Grade, Outcome

__all__ = [
    "AnswerKind",
    "Attempt",
    "Comparison",
    "Extraction",
    "Grade",
    "Grader",
    "Outcome",
    "check_golds",
    "equivalent",
    "extract",
    "vote_key",
]
