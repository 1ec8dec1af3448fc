"""Every row of the catalogue of faults holds, and the documentation lists exactly these rows."""

from collections import Counter

import pytest

from tests.meta.faults.catalogue import DOCUMENT, FAULTS, with_table


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_must_hold_holds(fault, tmp_path):
    fault.test(tmp_path)


def test_names_are_unique():
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []


def test_the_documentation_lists_them():
    document = DOCUMENT.read_text(encoding="utf-8")
    assert with_table(document) == document, "write it anew: python -m tests.meta.faults.catalogue"
