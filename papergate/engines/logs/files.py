"""Reading the files of logs: JSON lines, one JSON object or list, parquet, archives of Inspect."""

import importlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from papergate.engines.logs.rows import Source
from papergate.errors import PredictionsError
from papergate.extras import install
from papergate.files import (
    MEBIBYTE,
    MOST_FREE,
    MOST_LOG,
    MOST_PACKED_RATIO,
    parsed,
    read_plain,
    reason,
    require_plain,
    text_of,
    unpacked,
)
from papergate.run_folder.notes import note
from papergate.words import worded

ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".parquet", ".eval")
HEADERS, SAMPLES = ("header.json", "_journal/start.json"), "samples/"
"""Of an archive of Inspect; the first of the headers that is there counts."""


def read_source(path: Path) -> Source:
    """The rows of ``path``; those of an object keyed by row get that key as their ``id``.

    Raises:
        PredictionsError: it is missing, or is not what its ending says, with the line where it stops being that.
    """
    if path.suffix == ".parquet":
        return Source(path=path, entries=tuple(_parquet(path)))
    if path.suffix == ".eval":
        return Source(path=path, entries=(), whole=_archive(path))
    text = _text(path)
    if path.suffix != ".json":
        return Source(path=path, entries=tuple(_lines(text, path)))
    content = _json(text, f"{path}")
    return Source(path=path, entries=tuple(_keyed(content, path)), whole=content if isinstance(content, dict) else {})


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
        raise worded(PredictionsError, note("log_missing", log=f"{path}")) from error
    except OSError as error:
        raise worded(PredictionsError, note("log_text_unread", log=f"{path}", said=reason(error))) from error
    except UnicodeDecodeError as error:
        raise worded(PredictionsError, note("log_text_unread", log=f"{path}", said=f"{error}")) from error


def _keyed(content: object, path: Path) -> Iterator[tuple[str, object]]:
    listed = enumerate(content) if isinstance(content, list) else content.items() if isinstance(content, dict) else ()
    for key, row in listed:
        yield f"{path}: row {key}", {"id": str(key), **row} if isinstance(row, dict) else row


def _lines(text: str, path: Path) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}: line {number}"
            yield place, _json(line, place)


def _archive(path: Path) -> Mapping[str, object]:
    """The object that an archive of Inspect is, without what no sample needs; a run that was stopped has no header."""
    members = {name: _json(_decoded(data, path), f"{path}: {name}") for name, data in _members(path).items()}
    header = next((members[name] for name in HEADERS if name in members), {})
    samples = [member for name, member in members.items() if name not in HEADERS]
    return {**(header if isinstance(header, dict) else {}), "samples": samples}


def _members(path: Path) -> dict[str, bytes]:
    """The samples and the headers of an archive.

    Inspect compresses with zstandard, which Python's own module reads from 3.14 on.
    """
    try:
        module = importlib.import_module("backports.zstd.zipfile")
    except ImportError:
        module = zipfile
    try:
        require_plain(path, most=MOST_LOG)
        with module.ZipFile(path) as archive:
            _refuse_bomb(sum(each.file_size for each in archive.infolist()), path)
            wanted = [name for name in archive.namelist() if name in HEADERS or name.startswith(SAMPLES)]
            return {name: archive.read(name) for name in wanted if name.endswith(".json")}
    except FileNotFoundError as error:
        raise worded(PredictionsError, note("log_missing", log=f"{path}")) from error
    except PredictionsError:
        raise
    except Exception as error:  # a damaged archive raises whatever its decompressor does
        raise worded(
            PredictionsError, note("log_archive_unread", log=f"{path}", error=f"{error}", install=install("logs"))
        ) from error


def _refuse_bomb(unpacked_bytes: int, path: Path) -> None:
    if unpacked_bytes > min(MOST_LOG, max(MOST_FREE, MOST_PACKED_RATIO * path.stat().st_size)):
        raise worded(PredictionsError, note("log_unpacks", log=f"{path}", size=unpacked_bytes / MEBIBYTE))


def _decoded(data: bytes, path: Path) -> str:
    try:
        return text_of(data)
    except UnicodeDecodeError as error:
        raise worded(PredictionsError, note("log_text_unread", log=f"{path}", said=f"{error}")) from error


def _parquet(path: Path) -> Iterator[tuple[str, object]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise worded(PredictionsError, note("log_needs_pyarrow", log=f"{path}", install=install("logs"))) from error
    try:
        require_plain(path, most=MOST_LOG)
        rows = parquet.read_table(path).to_pylist()
    except (OSError, ArrowException) as error:
        raise worded(PredictionsError, note("log_parquet_unread", log=f"{path}", error=f"{error}")) from error
    return ((f"{path}: row {number}", row) for number, row in enumerate(rows))


def _json(text: str, place: str) -> object:
    try:
        return parsed(text)
    except ValueError as error:
        raise worded(PredictionsError, note("log_malformed", place=place, error=f"{error}")) from error
