"""``grades.jsonl``: how each sample was graded; here it is only counted."""

from collections import Counter
from pathlib import Path

from papergate.errors import StoreError
from papergate.files import MOST_DATA, parsed, read_kept, reason, text_of
from papergate.run_folder.files import GRADES_FILE

CORRECT = "correct"


def read_correct(folder: Path) -> Counter[str]:
    """Correct samples of each problem by the grades in ``folder``; a sample that is graded twice counts once.

    Raises:
        StoreError: they are damaged.
    """
    path = folder / GRADES_FILE
    try:
        grades = [parsed(line) for line in text_of(read_kept(path, most=MOST_DATA)).split("\n") if line]
        right = {(grade["problem"], grade["sample"]) for grade in grades if grade["outcome"] == CORRECT}
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {reason(error)}; restore it, or judge the run again") from error
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError(f"{path} holds no grades ({error!r}); restore it, or judge the run again") from None
    return Counter(problem for problem, _ in right)
