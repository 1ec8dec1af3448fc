"""The preflight of each deployment: once a session, before anything of it is paid for."""

from collections.abc import Sequence
from pathlib import Path

from papergate.acceptance.flow import Show, silently
from papergate.acceptance.preparing import Ready
from papergate.acceptance.terms import sampling_of
from papergate.completions.progress import WITHHELD, no_score
from papergate.diagnosis.preflight import Subject, preflight
from papergate.engines import Engine
from papergate.engines.remote.engine import RemoteEngine
from papergate.errors import PreflightFailed, StoreError
from papergate.files import reason
from papergate.run_folder.files import PREFLIGHT_FILE
from papergate.run_folder.notes import AS_WRITTEN, note
from papergate.run_folder.preflight import PreflightRecord, write_preflight
from papergate.words import Language, say, worded


class Preflights:
    """The preflights of a session, by deployment."""

    def __init__(self, language: Language = "en") -> None:
        """``language`` is that of what is shown."""
        self._language = language
        self._done: dict[str, PreflightRecord] = {}

    @property
    def records(self) -> tuple[PreflightRecord, ...]:
        """Of every deployment that was looked at."""
        return tuple(self._done.values())

    def hold(self, ready: Ready, engine: Engine, folder: Path, show: Show = silently) -> None:
        """Look at the deployment of ``ready``, keep what was found in ``folder``, and refuse what spoils the run.

        Raises:
            PreflightFailed: the run would not measure what it promises.
            StoreError: the disk refused.
        """
        record = self.look(ready, engine, show)
        if record is None:
            return
        _keep(record, folder)
        if record.failed:
            refusal = say(note("preflight_refuses"), self._language)
            raise PreflightFailed("\n".join((refusal, *lines_of(record, self._language))))
        assert isinstance(engine, RemoteEngine), "no other is looked at"
        for url, (then, now) in engine.changed().items():
            changed = note("server_changed", url=url, then=then.in_words(), now=now.in_words())
            raise PreflightFailed(say(changed, self._language))

    def look(self, ready: Ready, engine: Engine, show: Show = silently) -> PreflightRecord | None:
        """What is found of the deployment of ``ready``; None of an engine in this process, where papergate draws."""
        if not isinstance(engine, RemoteEngine):
            return None
        name = ready.promise.deployed
        if name not in self._done:
            shown = show(no_score)
            shown.say(note("preflight_begins", deployment=name))
            found = preflight(subject_of(ready, engine))
            self._done[name] = _discreet(found) if ready.benchmark.spec.confidential else found
            for line in lines_of(self._done[name], self._language):
                shown.say(note(AS_WRITTEN, text=line))
        return self._done[name]


def subject_of(ready: Ready, engine: RemoteEngine) -> Subject:
    """What a preflight checks: the engine, asked as the run will ask it."""
    return Subject(
        deployment=ready.promise.deployed,
        engine=engine,
        sampling=sampling_of(ready.promise, ready.settings.protocol),
        prompts=[problem.prompt for problem in ready.problems],
        thinks=ready.promise.deployment.thinks,
        marks=ready.promise.deployment.thought_marks,
        concurrency=ready.settings.policy.concurrency or engine.concurrency,
        most_tokens=ready.promise.deployment.most_tokens,
        ends_after_s=_ends_after_s(ready.promise.deployment.flags),
    )


def _ends_after_s(flags: Sequence[str]) -> float | None:
    """MindIE's own time-out, as its config.json has it among the deployment's flags."""
    stated = dict(flag.split("=", 1) for flag in flags if "=" in flag).get("e2eTimeout", "")
    return float(stated) if stated.isdigit() and stated != "0" else None


def lines_of(record: PreflightRecord, language: Language = "en") -> list[str]:
    """What a reader must know of a preflight, the failures first; what was found in order is one line."""
    told = [check for state in ("failed", "noted", "unknown") for check in record.checks if check.state == state]
    fine = sum(check.state == "ok" for check in record.checks)
    found = note("preflight_found", fine=fine, checks=len(record.checks), seconds=record.seconds)
    return [say(found, language), *(say(one, language) for one in told)]


def _discreet(record: PreflightRecord) -> PreflightRecord:
    """Without the words of a server, which may quote a problem that must not be shown."""
    checks = [
        check.model_copy(update={"values": {**check.values, "said": WITHHELD}}) if "said" in check.values else check
        for check in record.checks
    ]
    return record.model_copy(update={"checks": tuple(checks)})


def _keep(record: PreflightRecord, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_preflight(folder, record)
    except OSError as error:
        raise worded(
            StoreError, note("not_written", file=f"{folder / PREFLIGHT_FILE}", reason=reason(error))
        ) from error
