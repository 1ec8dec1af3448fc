"""Decide whether a deployment of a reasoning model scores what its paper says.

The flow, one package a stage; each imports only from stages before its own::

    promises  ->  benchmarks  ->  engines  ->  completions  ->  scoring  ->  statistics  ->  verdict  ->  reports
    what is       what is         who          asked once,      is each      how good,       is the       JUnit, HTML,
    promised      asked           answers      kept for ever    one right    how sure        promise kept evidence

``acceptance`` runs the whole flow for one promise. The library knows nothing of pytest.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a clone may be run by a Python that pip would refuse
    sys.stderr.write(
        f"papergate needs Python 3.11 or later, and this is {sys.version.split()[0]}: make an environment with "
        "python3.11 -m venv .venv\n"
    )
    sys.exit(4)

__version__ = "2026.11.0"
