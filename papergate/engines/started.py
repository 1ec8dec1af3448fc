"""What a run puts down about a server or an application that it started, for the other processes of the run."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from papergate.errors import EngineError
from papergate.files import private_folder, read_kept, reason
from papergate.run_folder.notes import note
from papergate.run_folder.stored import mistakes_of
from papergate.words import worded

_Record = TypeVar("_Record")


def make(folder: Path) -> None:
    """Make the folder of a server.

    Raises:
        EngineError: it cannot be written.
    """
    try:
        private_folder(folder)
    except OSError as error:
        raise worded(EngineError, note("run_not_written", folder=f"{folder}", reason=reason(error))) from error


def recorded(path: Path, kind: type[_Record], *, remedy: str) -> _Record | None:
    """The dataclass ``kind`` as JSON in ``path``; None where there is no such file.

    Raises:
        EngineError: it holds something else; ``remedy`` says what to do before it is removed.
    """
    try:
        return TypeAdapter(kind).validate_json(read_kept(path), strict=True)
    except FileNotFoundError:
        return None
    except ValidationError as error:
        why = "; ".join(mistakes_of(error))
    except OSError as error:
        why = reason(error)
    raise worded(EngineError, note("server_file_damaged", file=f"{path}", why=why, remedy=remedy))
