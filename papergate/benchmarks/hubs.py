"""Fetching a benchmark from a hub at a pinned revision, or from an archive with a known digest."""

from collections.abc import Callable
from pathlib import Path

from papergate.benchmarks.archives import from_archive
from papergate.benchmarks.records import BenchmarkSpec, Origin
from papergate.errors import BenchmarkError
from papergate.extras import install
from papergate.run_folder.notes import note
from papergate.words import worded


def fetch(
    spec: BenchmarkSpec, *, shots: bool = False, variant: str = "", download: bool = True
) -> tuple[list[Path], str]:
    """The local paths of the benchmark's files, from the first origin that answers, and that origin in words.

    ``shots`` asks for the files of solved problems in their place. Origins of the text called ``variant`` come first.
    Without ``download`` only what an earlier run fetched is found. Hugging Face is asked through huggingface_hub, which
    honours HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE.

    Raises:
        BenchmarkError: no origin could be reached; says what each one answered, and the remedy.
    """
    failures = []
    for origin in _origins(spec, shots=shots, variant=variant):
        source = f"{origin.hub}:{origin.repo}@{origin.revision[:12]}"
        try:
            return _DOWNLOADS[origin.hub](origin, download), source
        except ImportError as error:
            failures.append(f"{source}: {error.name} is not installed ({install('hub')})")
        except Exception as error:  # noqa: BLE001 - the hubs' clients raise whatever their transport raises
            failures.append(f"{source}: {type(error).__name__}: {str(error).strip().splitlines()[0]}")
    raise worded(BenchmarkError, note("benchmark_not_fetched", title=spec.title, benchmark=spec.name, tried=failures))


def _origins(spec: BenchmarkSpec, *, shots: bool, variant: str) -> list[Origin]:
    if shots:
        return [each.model_copy(update={"files": each.shots}) for each in spec.origins if each.shots]
    return sorted(spec.origins, key=lambda origin: not variant or origin.variant != variant)


def _from_huggingface(origin: Origin, download: bool) -> list[Path]:  # noqa: FBT001 - as `from_archive`
    from huggingface_hub import hf_hub_download

    def fetched(file: str) -> str:
        here = not download
        return hf_hub_download(origin.repo, file, repo_type="dataset", revision=origin.revision, local_files_only=here)

    return [Path(fetched(file)) for file in origin.files]


def _from_modelscope(origin: Origin, download: bool) -> list[Path]:  # noqa: FBT001 - as `from_archive`
    from modelscope.hub.snapshot_download import dataset_snapshot_download

    folder = dataset_snapshot_download(
        origin.repo, revision=origin.revision, allow_patterns=list(origin.files), local_files_only=not download
    )
    return [Path(folder) / file for file in origin.files]


_DOWNLOADS: dict[str, Callable[[Origin, bool], list[Path]]] = {
    "huggingface": _from_huggingface,
    "modelscope": _from_modelscope,
    "archive": from_archive,
}
