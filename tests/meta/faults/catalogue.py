"""Every fault that is tried on papergate, by the part that must stand it; docs/reliability.md lists the same rows.

``python -m tests.meta.faults.catalogue`` writes the table in that page anew: do so to end a merge conflict in it.
A new fault is a row in the module of its part; a new part is a module with ``FAULTS`` and a line in ``CATALOGUE``.
"""

from pathlib import Path

from tests.meta.faults import control, ends, inputs, store, streams

CATALOGUE = {
    "The store": store.FAULTS,
    "Streams": streams.FAULTS,
    "The control plane": control.FAULTS,
    "Inputs": inputs.FAULTS,
    "Ends of a session": ends.FAULTS,
}
FAULTS = tuple(fault for faults in CATALOGUE.values() for fault in faults)
DOCUMENT = Path(__file__).parents[3] / "docs" / "reliability.md"
START, END = "<!-- faults: made by tests/meta/faults/catalogue.py -->\n", "<!-- end of faults -->\n"


def table():
    """The catalogue as Markdown: a table for each part."""
    parts = (
        f"### {part}: {len(faults)}\n\n| what is done | what holds |\n|---|---|\n" + "".join(map(_line, faults))
        for part, faults in CATALOGUE.items()
    )
    return f"\n{len(FAULTS)} faults.\n\n" + "\n".join(parts) + "\n"


def _line(fault):
    return f"| {fault.done} | {fault.holds} |\n"


def with_table(document):
    """``document`` with the present table between its marks."""
    before, rest = document.split(START)
    return before + START + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
