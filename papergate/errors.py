"""Everything that can go wrong, as one small tree.

::

    PapergateError
    ├── OptionsError        the user's options cannot mean anything, or contradict each other
    ├── PromiseError        a paper or target file is wrong, or a promise is unknown
    ├── BenchmarkError      a benchmark cannot be read, or is not the benchmark it claims to be
    ├── HardwareError       the hardware a promise demands is not here
    ├── EngineError         the engine cannot be started, reached or understood
    │   ├── EngineRefused       it answered, and said no
    │   ├── EngineTimeout       it did not answer in time
    │   └── PreflightFailed     it answers, and is not set up as the run needs it
    ├── StoreError          the record of a run cannot be read, or belongs to another run
    ├── EvidenceError       a bundle of evidence cannot be made, or is not what it claims to be
    ├── WorkloadError       a workload of tests/perf is wrong, or does not fit the server
    ├── RequestsLost        some completions never came: no score can be stated
    ├── AnswersDamaged      more answers are damaged than the promise can bear: asking was stopped
    └── PredictionsError    a file of stored completions cannot be read

None of these is ever turned into a score. Each message says what was seen, what is accepted, and the remedy. It may
quote a server or a file: it is made printable here, once for all.
"""

from typing import Any, ClassVar

from papergate.printable import printable


class PapergateError(Exception):
    """Something outside the model's answers is wrong; no verdict can be given."""

    code: ClassVar[str] = "other"
    """Of the kind of error: a name for machines, which stays."""
    said: Any = None
    """The note that the message says, where `papergate.words` has a sentence for it in each language."""

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class OptionsError(PapergateError):
    """The user's options cannot mean anything, or contradict each other or the files that they name."""

    code = "options"


class PromiseError(PapergateError):
    """A paper or target file is wrong, or names something that does not exist."""

    code = "promise"


class BenchmarkError(PapergateError):
    """A benchmark cannot be read, or is not the benchmark it claims to be."""

    code = "benchmark"


class HardwareError(PapergateError):
    """The hardware that a promise demands is not on this machine."""

    code = "hardware"


class EngineError(PapergateError):
    """The engine cannot be started, reached or understood.

    ``transient`` is True where another attempt may succeed (connection, 429, 5xx); ``retry_after_s`` is the wait
    that the server asked for; ``endpoint`` is the server, or the rank of one, where an attempt failed.
    """

    code = "engine"

    def __init__(self, message: str, *, transient: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after_s = retry_after_s
        self.endpoint: str | None = None


class EngineRefused(EngineError):
    """The engine answered, and said no."""


class EngineTimeout(EngineError):
    """The engine did not answer within its deadline."""


class PreflightFailed(EngineError):
    """The engine answers, and is not set up as the run needs it; nothing was asked."""

    code = "preflight"


class StoreError(PapergateError):
    """The record of a run cannot be read, or belongs to another run."""

    code = "store"


class EvidenceError(PapergateError):
    """A bundle of evidence cannot be made, or is not what it claims to be."""

    code = "evidence"


class WorkloadError(PapergateError):
    """A workload is wrong, does not fit the server, or is not the one it is compared with."""

    code = "workload"


class RequestsLost(PapergateError):
    """Some completions never came, so no score can be stated."""

    code = "requests_lost"


class AnswersDamaged(PapergateError):
    """More answers are damaged than the promise can bear; asking on would only cost."""

    code = "answers_damaged"


class PredictionsError(PapergateError):
    """A file of stored completions cannot be read."""

    code = "predictions"
