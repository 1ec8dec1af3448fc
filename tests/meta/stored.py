"""What a store holds, read at once: the package reads one completion at a time."""

from papergate.completions.store import contents_of, read_completions, read_manifest, refuse_damaged


def read_store(folder):
    """The manifest, and the last successful completion by problem and sample."""
    return read_manifest(folder), _completions_at(folder, _sound(folder).succeeded)


def read_failures(folder):
    """The last failure of what has nothing else, by problem and sample."""
    return _completions_at(folder, _sound(folder).failed)


def _sound(folder):
    contents = contents_of(folder)
    refuse_damaged(folder, contents)
    return contents


def _completions_at(folder, places):
    return dict(zip(places, read_completions(folder, places.values()), strict=True)) if places else {}
