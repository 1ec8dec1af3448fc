"""Which weights and which chat template a folder holds, so that a resumed run is known to ask the same model."""

import hashlib
import json
from pathlib import Path

from papergate.errors import EngineError
from papergate.files import MOST_DATA, parsed, read_plain, text_of
from papergate.run_folder.notes import note
from papergate.words import worded

WEIGHT_FILES = ("*.safetensors", "*.bin", "*.gguf")
BLOCK_BYTES = 65536
BLOCKS = 256
"""Read from each file, evenly spread: a second for a model of hundreds of gigabytes, and no fine-tuning or
quantisation leaves all of them as they were."""


def digest_of_weights(model: Path) -> str:
    """sha256 over configuration, file sizes and evenly spread blocks of the weights; empty where there is no folder.

    It tells models apart; it does not protect against somebody who wants two models to look alike.
    """
    if not model.is_dir():
        return ""
    digest = hashlib.sha256()
    files = sorted({file for pattern in ("config.json", *WEIGHT_FILES) for file in model.glob(pattern)})
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        _add_blocks(digest, file)
    return digest.hexdigest() if files else ""


def digest_of_template(model: Path, override: Path | None = None) -> str:
    """sha256 of the chat template in force; empty where it cannot be known."""
    template = _template(model, override)
    return hashlib.sha256(template.encode()).hexdigest() if template else ""


def _template(model: Path, override: Path | None) -> str:
    for file in filter(None, (override, model / "chat_template.jinja")):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    settings = model / "tokenizer_config.json"
    found = _chat_template(settings) if settings.is_file() else None
    return found if isinstance(found, str) else json.dumps(found) if found else ""


def _chat_template(settings: Path) -> object:
    try:
        return parsed(text_of(read_plain(settings, most=MOST_DATA))).get("chat_template")
    except (OSError, ValueError, AttributeError) as error:
        raise worded(EngineError, note("settings_unread", file=f"{settings}", error=f"{error}")) from error


def _add_blocks(digest: "hashlib._Hash", file: Path) -> None:
    step = max(BLOCK_BYTES, file.stat().st_size // BLOCKS)
    with file.open("rb") as opened:
        for start in range(0, file.stat().st_size, step):
            opened.seek(start)
            digest.update(opened.read(BLOCK_BYTES))
