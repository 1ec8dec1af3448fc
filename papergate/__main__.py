"""``python -m papergate``: the same as the ``papergate`` command."""

import sys

from papergate.cli import main

sys.exit(main())
