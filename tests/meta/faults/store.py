"""Faults of disks, files and operators that the store of completions must stand."""

from papergate.completions.store import COMPLETIONS_FILE, Store
from tests.meta.completions.test_store import completion, end_by_kill, manifest
from tests.meta.faults.records import Fault


def torn_at_every_byte(folder):
    store = Store.open(folder, manifest())
    store.append(completion("p1"))
    kept = (folder / COMPLETIONS_FILE).stat().st_size
    store.append(completion("p2"))
    end_by_kill(store)
    written = (folder / COMPLETIONS_FILE).read_bytes()
    for size in range(kept, len(written)):
        (folder / COMPLETIONS_FILE).write_bytes(written[:size])
        with Store.open(folder, manifest()) as store:
            assert ("p1", 0) in store


FAULTS = (
    Fault(
        name="write-interrupted-at-every-byte",
        done="a write ends after each of its bytes",
        holds="every earlier record is kept, and the run goes on",
        test=torn_at_every_byte,
    ),
)
