"""What tests of papergate itself share: the profiles of Hypothesis, and signals that what they start can hear."""

import signal

from tests import profiles as profiles  # noqa: PLC0414

# a job in the background of a shell ignores SIGINT, one under nohup SIGHUP; its children inherit it
for number, heard in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, heard)
