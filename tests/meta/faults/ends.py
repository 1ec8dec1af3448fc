"""Ends of a session: whatever disk, folder or neighbour do, JUnit and the verdicts that exist are delivered."""

import os
import resource
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from papergate.completions.store import Store
from papergate.exit_codes import ExitCode
from papergate.run_folder.files import PAGE_FILE, VERDICT_FILE, new_run
from tests.meta.completions.test_store import manifest
from tests.meta.faults.records import Fault
from tests.meta.processes import forked, ran
from tests.meta.tiny_runs import TINY, completions_of, like_the_paper, write_predictions, write_target

ROOT = Path(__file__).parents[3]
PROMISE = "stored-tiny-tiny-aime"


class Ended:
    """A session of pytest on stored completions of the embedded model's benchmark, and what it delivered."""

    def __init__(self, folder, *, run=None, limited=None):
        (folder / "targets").mkdir(exist_ok=True)
        write_target(folder / "targets", name="stored", percent=TINY.score.percent, tolerance="3 problems")
        log = write_predictions(folder / "log.jsonl", completions_of(like_the_paper, 8))
        self.run, junit = run or folder / "run", folder / "junit.xml"
        command = ["pytest", "tests/accuracy", "-p", "no:cacheprovider", "-m", "stored", f"--junitxml={junit}"]
        command += [f"--targets={folder / 'targets'}", f"--predictions={log}", f"--run={self.run}"]
        done = ran([sys.executable, "-m", *command], cwd=ROOT, preexec_fn=limited) if limited else forked(*command)
        self.text, self.exit = done.stdout + done.stderr, done.returncode
        self.case, *self.others = ET.parse(junit).getroot().iter("testcase")
        self.properties = {item.get("name"): item.get("value") for item in self.case.iter("property")}
        assert "INTERNALERROR" not in self.text, self.text
        assert "Traceback" not in self.text, self.text

    @property
    def error(self):
        return self.case.find("error").get("message")

    def delivers_its_verdict(self):
        assert (self.exit, self.properties["verdict"]) == (0, "pass"), self.text
        assert "pass" in (self.run / PROMISE / VERDICT_FILE).read_text()


def undisturbed(folder):
    Ended(folder).delivers_its_verdict()
    assert (folder / "run" / PAGE_FILE).exists()


def no_room_for_the_page(folder):
    (folder / "run" / PAGE_FILE).mkdir(parents=True)
    ended = Ended(folder)
    assert (ended.exit, ended.properties["verdict"]) == (ExitCode.ERROR, "pass")
    assert "the page cannot be written into" in ended.text
    assert [case.find("error") is not None for case in ended.others] == [True]


def no_room_for_the_verdict(folder):
    (folder / "run" / PROMISE / VERDICT_FILE).mkdir(parents=True)
    ended = Ended(folder)
    assert (ended.exit, ended.properties["verdict"]) == (ExitCode.ERROR, "error")
    assert "the verdict cannot be written" in ended.error
    assert "It is: pass" in ended.error


def a_disk_without_room(folder):
    ended = Ended(folder, limited=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19)))
    assert (ended.exit, ended.properties["verdict"]) == (ExitCode.ERROR, "error")
    assert "cannot be written" in ended.error


def a_folder_that_nobody_can_make(folder):
    ended = Ended(folder, run=Path("/proc/papergate"))
    assert (ended.exit, ended.properties["verdict"]) == (ExitCode.ERROR, "error")
    assert "/proc/papergate cannot be written" in ended.error


def a_damaged_neighbour(folder):
    neighbour = folder / "run" / "other-promise"
    neighbour.mkdir(parents=True)
    (neighbour / VERDICT_FILE).write_text('{"promise": "other-promise", "verd')
    Ended(folder).delivers_its_verdict()
    assert "other-promise" in (folder / "run" / PAGE_FILE).read_text()


def a_neighbour_that_is_a_link(folder):
    neighbour = folder / "run" / "other-promise"
    neighbour.mkdir(parents=True)
    (neighbour / VERDICT_FILE).symlink_to(neighbour / VERDICT_FILE)
    Ended(folder).delivers_its_verdict()


def a_run_of_another_user(folder):
    """The folder is lost between two sessions: the next makes it again."""
    Ended(folder).delivers_its_verdict()
    shutil.rmtree(folder / "run")
    Ended(folder).delivers_its_verdict()


def a_second_session(folder):
    """Two runs into one folder: the second is refused, and the first loses nothing."""
    promise = folder / "run" / "promise"
    with Store.open(promise, manifest()):
        said = ran([sys.executable, "-c", SECOND, str(promise), manifest().model_dump_json()], cwd=ROOT).stdout
    assert "another process" in said


SECOND = """
import sys
from pathlib import Path
from papergate.completions.manifest import Manifest
from papergate.completions.store import Store
from papergate.errors import StoreError
try:
    Store.open(Path(sys.argv[1]), Manifest.model_validate_json(sys.argv[2]))
except StoreError as error:
    print(error)
"""


def two_in_one_second(_):
    assert len({new_run() for _ in range(20)}) > 15


def option_refused(arguments, words):
    done = forked("pytest", "tests/accuracy", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == 4, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def a_name_that_is_no_utf_8(folder):
    option_refused([f"--data=math500={folder}/d\udcff.jsonl"], "holds bytes that are no UTF-8")


def a_run_in_a_fifo(folder):
    os.mkfifo(folder / "fifo")
    option_refused([f"--run={folder / 'fifo'}"], "is a special file; give the folder of a run")


def a_target_named_xfail(folder):
    write_target(folder, name="xfail", percent=50)
    option_refused([f"--targets={folder}"], "target 'xfail' has the name of a mark of pytest")


def a_million_samples(_):
    option_refused(["--samples=1000000"], "--samples 1000000: give at most 10000")


def a_crash_of_a_command(_):
    done = ran([sys.executable, "-c", CRASH], cwd=ROOT)
    assert done.returncode == 70
    assert "a fault in papergate itself, no verdict: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


CRASH = """
import sys
from papergate.cli import judge, main
judge.run = None
def crash(args):
    1 / 0
judge.run = crash
sys.exit(main(["judge", "x.json"]))
"""

DELIVERED = "JUnit and the verdict are delivered"
FAULTS = (
    Fault(name="end-undisturbed", done="nothing", holds=f"{DELIVERED}, and the page", test=undisturbed),
    Fault(
        name="end-no-page",
        done="the page cannot be written",
        holds=f"{DELIVERED}; the absence of the page is said",
        test=no_room_for_the_page,
    ),
    Fault(
        name="end-no-verdict-file",
        done="the record of the verdict cannot be written",
        holds="JUnit has an error that holds the verdict's sentence",
        test=no_room_for_the_verdict,
    ),
    Fault(
        name="end-no-room",
        done="the disk of the run is full",
        holds="JUnit has an error, before anything is asked",
        test=a_disk_without_room,
    ),
    Fault(
        name="end-no-folder",
        done="`--run` names a folder that cannot be made",
        holds="JUnit has an error, before anything is asked",
        test=a_folder_that_nobody_can_make,
    ),
    Fault(
        name="end-damaged-neighbour",
        done="the record of another promise in the run is damaged",
        holds=f"{DELIVERED}; the page names the damage",
        test=a_damaged_neighbour,
    ),
    Fault(
        name="end-linked-neighbour",
        done="the record of another promise is a link to itself",
        holds=DELIVERED,
        test=a_neighbour_that_is_a_link,
    ),
    Fault(
        name="end-lost-folder",
        done="the folder of the run lost between two sessions",
        holds=DELIVERED,
        test=a_run_of_another_user,
    ),
    Fault(
        name="second-session",
        done="a second session writes into the same run",
        holds="refused; the first loses nothing",
        test=a_second_session,
    ),
    Fault(
        name="two-in-one-second",
        done="two sessions begin in the same second",
        holds="each has a folder of its own",
        test=two_in_one_second,
    ),
    Fault(
        name="option-no-utf-8",
        done="an option with bytes that are no UTF-8",
        holds="refused before anything starts",
        test=a_name_that_is_no_utf_8,
    ),
    Fault(
        name="option-run-a-fifo",
        done="`--run` names a fifo",
        holds="refused before anything starts",
        test=a_run_in_a_fifo,
    ),
    Fault(
        name="option-a-million-samples",
        done="`--samples 1000000`",
        holds="refused before anything starts",
        test=a_million_samples,
    ),
    Fault(
        name="target-named-xfail",
        done="a target named like a mark of pytest",
        holds="refused before anything starts: its failures would pass",
        test=a_target_named_xfail,
    ),
    Fault(
        name="crash-of-a-command",
        done="a crash of a `papergate` command itself",
        holds="exit code 70, which no verdict has, and one line",
        test=a_crash_of_a_command,
    ),
)
