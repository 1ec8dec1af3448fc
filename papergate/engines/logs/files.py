"""Reading the files of logs: JSON lines, one JSON object or list, parquet."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from papergate.engines.logs.rows import Source
from papergate.errors import PredictionsError
from papergate.files import MOST_LOG, parsed, read_plain, reason, require_plain, text_of, unpacked

ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".parquet")


def read_source(path: Path) -> Source:
    """The rows of ``path``; those of an object keyed by row get that key as their ``id``.

    Raises:
        PredictionsError: it is missing, or is not what its ending says, with the line where it stops being that.
    """
    if path.suffix == ".parquet":
        return Source(path=path, entries=tuple(_parquet(path)))
    text = _text(path)
    return Source(path=path, entries=tuple(_keyed(text, path) if path.suffix == ".json" else _lines(text, path)))


def json_of(path: Path) -> Mapping[str, object]:
    """The object in a file that a tool writes beside its log; empty where there is no such file.

    Raises:
        PredictionsError: the file is there and is no JSON.
    """
    found = _json(_text(path), f"{path}") if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        data = read_plain(path, most=MOST_LOG)
        return text_of(unpacked(data, most=MOST_LOG) if path.suffix == ".gz" else data)
    except FileNotFoundError as error:
        raise PredictionsError(f"{path}: no such file; give a file or folder of completions") from error
    except OSError as error:
        raise PredictionsError(f"{path}: cannot be read: {reason(error)}; give a whole file of UTF-8 text") from error
    except UnicodeDecodeError as error:
        raise PredictionsError(f"{path}: cannot be read: {error}; give a whole file of UTF-8 text") from error


def _keyed(text: str, path: Path) -> Iterator[tuple[str, object]]:
    content = _json(text, f"{path}")
    listed = enumerate(content) if isinstance(content, list) else content.items() if isinstance(content, dict) else ()
    for key, row in listed:
        yield f"{path}: row {key}", {"id": str(key), **row} if isinstance(row, dict) else row


def _lines(text: str, path: Path) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}: line {number}"
            yield place, _json(line, place)


def _parquet(path: Path) -> Iterator[tuple[str, object]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise PredictionsError(f"{path}: reading parquet needs pyarrow; pip install -e '.[hub]'") from error
    try:
        require_plain(path, most=MOST_LOG)
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ArrowException) as error:
        raise PredictionsError(f"{path}: cannot be read: {error}; give a whole parquet file") from error
    return ((f"{path}: row {number}", row) for number, row in enumerate(rows))


def _json(text: str, place: str) -> object:
    try:
        return parsed(text)
    except ValueError as error:
        raise PredictionsError(f"{place}: not JSON ({error}); give a whole file: was its tool stopped?") from error
