"""What tests of papergate itself share: the profiles of Hypothesis, and a Ctrl-C that what they start can hear."""

import signal

from tests import profiles as profiles  # noqa: PLC0414

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job of a shell in the background, whose children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
