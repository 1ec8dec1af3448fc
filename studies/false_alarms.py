"""How often healthy answers are called damaged: kinds of the completions in transcripts.

    python -m studies.false_alarms FILE.jsonl[.gz] ...      # one completion a line, its text under "response"

Answers without a closed thought are counted apart: whether a limit cut them, a transcript does not say.
"""

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

from papergate.diagnosis.kinds import Kind, kind_of
from papergate.engines.records import END_OF_THOUGHT, Completion, Finish


def kinds(path: Path) -> Counter[tuple[bool, Kind]]:
    """Completions of a file by whether their thought is closed, and kind."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["response"] for line in lines]
    done = [Completion(problem="", sample=0, text=text, finish=Finish.STOP) for text in texts]
    return Counter((END_OF_THOUGHT in (each.text or ""), kind_of(each, thinks=True)) for each in done)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        found = kinds(Path(name))
        for closed in (True, False):
            counts = {str(kind): count for (its, kind), count in found.most_common() if its is closed}
            print(f"{Path(name).name}: thought {'closed' if closed else 'open'}: {sum(counts.values())}: {counts}")
