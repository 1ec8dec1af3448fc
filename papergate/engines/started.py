"""What a run puts down about a server or an application that it started, for the other processes of the run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from papergate.errors import EngineError
from papergate.files import private_folder, read_kept, reason

_Record = TypeVar("_Record")


def make(folder: Path) -> None:
    """Make the folder of a server.

    Raises:
        EngineError: it cannot be written.
    """
    try:
        private_folder(folder)
    except OSError as error:
        raise EngineError(f"{folder} cannot be written: {reason(error)}; give another folder: --run DIR") from error


def recorded(path: Path, record: Callable[[Any], _Record], *, remedy: str) -> _Record | None:
    """The ``record`` of what ``path`` holds; None where there is no such file.

    Raises:
        EngineError: it holds something else; ``remedy`` says what to do before it is removed.
    """
    try:
        return record(json.loads(read_kept(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EngineError(f"{path} is not as papergate wrote it ({error}): {remedy}, then remove this file") from error
