"""Is a folder of weights whole? A checkpoint that training just wrote often lacks its tokenizer or some shards."""

import struct
from collections.abc import Iterator
from pathlib import Path

from papergate.errors import EngineError
from papergate.files import MOST_DATA, parsed, read_plain, text_of
from papergate.run_folder.notes import note
from papergate.words import worded

FILES = {
    "the configuration": ("config.json",),
    "the weights": ("*.safetensors", "*.bin"),
    "the tokenizer": ("tokenizer.json", "tokenizer.model", "vocab.json"),
}
TRAINING = {
    "global_step*": "shards of DeepSpeed: consolidate them with the folder's zero_to_fp32.py",
    "pytorch_model_fsdp*": "shards of FSDP: merge them with accelerate merge-weights",
    "adapter_config.json": "an adapter: merge it into its base model",
    "checkpoint-*": "checkpoints of a trainer: give one of them",
}
"""What training leaves in place of weights, with the remedy."""
HEADER = struct.Struct("<Q")
"""A safetensors file begins with the length of its header, a JSON object."""


def refuse_incomplete(path: str) -> None:
    """Name what a local folder of weights lacks; the name of a hub is left to the hub.

    Raises:
        EngineError: files are missing or cut short; with the remedy.
    """
    folder = Path(path)
    if not folder.exists():
        if folder.is_absolute() or path.startswith((".", "~")):
            raise worded(EngineError, note("model_no_folder", folder=f"{path}"))
        return
    missing = [
        f"{what} ({' or '.join(names)})"
        for what, names in FILES.items()
        if not any(file for name in names for file in folder.glob(name))
    ]
    if missing:
        found = "; it holds ".join(("", *(what for name, what in TRAINING.items() if any(folder.glob(name)))))
        raise worded(EngineError, note("model_incomplete", folder=f"{path}", missing=", ".join(missing), found=found))
    if broken := [*_missing_shards(folder), *_cut_short(folder)]:
        raise worded(EngineError, note("checkpoint_broken", folder=f"{path}", broken="; ".join(broken)))


def _missing_shards(folder: Path) -> Iterator[str]:
    for index in sorted(folder.glob("*.index.json")):
        try:
            named = set(parsed(text_of(read_plain(index, most=MOST_DATA)))["weight_map"].values())
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            yield f"{index.name} cannot be read"
            continue
        absent = sorted(str(name) for name in named if not (folder / str(name)).is_file())
        if absent:
            yield f"{len(absent)} of the {len(named)} files in {index.name} are missing, first {absent[0]}"


def _cut_short(folder: Path) -> Iterator[str]:
    """Files of safetensors that are shorter than their header says."""
    for file in sorted(folder.glob("*.safetensors")):
        try:
            needed = _length(file)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
            yield f"{file.name} is no file of safetensors"
            continue
        if file.stat().st_size < needed:
            yield f"{file.name} has {file.stat().st_size:,} of {needed:,} bytes"


def _length(file: Path) -> int:
    """Bytes that the header promises."""
    with file.open("rb") as opened:
        (size,) = HEADER.unpack(opened.read(HEADER.size))
        if size > MOST_DATA:
            raise ValueError("its header is longer than any")
        header = opened.read(size)
    if len(header) < size:
        return HEADER.size + int(size)
    tensors = (entry for name, entry in parsed(header.decode()).items() if name != "__metadata__")
    return int(HEADER.size + size + max((entry["data_offsets"][1] for entry in tensors), default=0))
