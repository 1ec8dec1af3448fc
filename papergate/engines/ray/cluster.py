"""A Ray cluster as its dashboard tells it: release, applications of Ray Serve, replicas. Checked with Ray 2.60.0.

Plain HTTP; Ray itself is not needed here.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from papergate.endpoints.address import Access, is_loopback, root_of
from papergate.endpoints.pages import Page, list_of, object_of, pages_of
from papergate.endpoints.server_errors import UNAUTHORISED, unauthorised
from papergate.errors import EngineError, EngineRefused, EngineTimeout
from papergate.printable import one_line
from papergate.run_folder.notes import note
from papergate.suggest import nearest
from papergate.words import worded

TOKEN_ENV = "RAY_AUTH_TOKEN"  # noqa: S105 - the name of a variable
"""Ray's own variable for the token of a cluster that demands one (``RAY_AUTH_MODE=token``)."""
VERSION = "/api/version"
APPLICATIONS = "/api/serve/applications/"
RUNNING, HEALTHY, UNHEALTHY, DELETING = "RUNNING", "HEALTHY", "UNHEALTHY", "DELETING"
FAILED = "DEPLOY_FAILED"
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - what Serve was told, nothing is bound here
READY_WITHIN_S = 3600.0
"""As long as a server that papergate starts may take to load its weights."""
REMOVED_WITHIN_S = 120.0
"""A replica may finish what it answers, and frees its devices then."""
LOOK_EVERY_S = 1.0
FAILED_CHECKS = 3
"""So many health checks in a row must fail before Serve takes a replica out."""
CHECK_PERIOD_S, CHECK_TIMEOUT_S = 10.0, 30.0
"""Serve's own, where a deployment states none."""
MESSAGE_CHARACTERS = 600
MOST = 1e11
"""Seconds since 1970 in the year 5138; times beyond the year 9999 have no date."""
MODEL = "model_loading_config"
"""The field that every LLMConfig has, for any builder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replica:
    """One replica of a deployment."""

    id: str
    node: str
    started_s: float
    """Seconds since 1970."""
    state: str

    def in_words(self) -> str:
        """Where it runs, and since when."""
        since = datetime.fromtimestamp(self.started_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{self.id} on {self.node} since {since}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The replicas of one of an application's deployments, as Serve calls them."""

    name: str
    wanted: int
    replicas: tuple[Replica, ...]
    message: str
    noticed_within_s: float
    """A replica whose engine is dead is taken out after so long."""

    @property
    def running(self) -> list[Replica]:
        """Those that answer, the longest-lived first."""
        running = (each for each in self.replicas if each.state == RUNNING)
        return sorted(running, key=lambda each: (each.started_s, each.id))

    def in_words(self) -> str:
        """How many run of those that are wanted, and which."""
        return f"{len(self.running)} of {self.wanted}: {'; '.join(each.in_words() for each in self.running)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """One application of Ray Serve, at one moment."""

    name: str
    route: str
    status: str
    message: str
    deployed_s: float
    """When it was last deployed, in seconds since 1970."""
    config: Mapping[str, Any]
    """As it was submitted; empty if it was deployed from Python, as the dashboard then does not show it."""
    groups: tuple[Group, ...]

    @property
    def running(self) -> frozenset[str]:
        """The replicas that answer."""
        return frozenset(each.id for group in self.groups for each in group.running)

    @property
    def can_answer(self) -> bool:
        """Whether something of each deployment runs."""
        return all(group.running for group in self.groups)

    @property
    def noticed_within_s(self) -> float:
        """Any replica whose engine is dead is taken out after so long."""
        return max((group.noticed_within_s for group in self.groups), default=0.0)

    @property
    def short(self) -> list[str]:
        """A line for each deployment that has fewer replicas than it should have."""
        short = (group for group in self.groups if len(group.running) < group.wanted)
        return [f"{each.name} {each.in_words()} {each.message}".strip() for each in short]

    def llm_config(self, model: str) -> Mapping[str, Any]:
        """The LLMConfig under which ``model`` is served; empty where the dashboard does not tell it."""
        configs = _llm_configs(self.config.get("args"))
        return next((each for each in configs if each[MODEL].get("model_id") == model), {})

    def in_words(self) -> str:
        """Its status, and what Serve says of it."""
        return " ".join(filter(None, (f"{self.name}: {self.status}", self.message, *self.short)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Serve:
    """Ray Serve on a cluster, at one moment."""

    applications: Mapping[str, Application]
    http: Mapping[str, Any]
    """Options of its HTTP proxies; empty where Serve was never started."""
    proxy_location: str
    proxies: Mapping[str, str]
    """Status of each HTTP proxy, by the address of its node."""


class Cluster:
    """A Ray cluster, asked through its dashboard."""

    def __init__(self, dashboard: str, ca_file: Path | None = None) -> None:
        self.url = root_of(dashboard)
        self._access = Access(key=os.environ.get(TOKEN_ENV), key_env=TOKEN_ENV, ca_file=ca_file)

    def release(self) -> tuple[str, str]:
        """Version and commit of Ray.

        Raises:
            EngineError: the dashboard does not answer, or is none.
        """
        page = self._get(VERSION)
        version, commit = (one_line(str(page.fields.get(name) or "")) for name in ("ray_version", "ray_commit"))
        if not version:
            raise worded(EngineRefused, note("ray_no_dashboard", url=self.url, path=VERSION, said=page.said))
        return version, commit

    def serve(self) -> Serve:
        """What Serve does now.

        Raises:
            EngineError: the dashboard does not answer, or its answer is none.
        """
        page = self._get(APPLICATIONS)
        found = page.fields.get("applications")
        if not isinstance(found, dict):
            raise worded(EngineRefused, note("ray_without_serve", url=self.url, path=APPLICATIONS, said=page.said))
        proxies = map(object_of, object_of(page.fields.get("proxies")).values())
        return Serve(
            applications={name: _application(name, object_of(told)) for name, told in found.items()},
            http=object_of(page.fields.get("http_options")),
            proxy_location=_word(page.fields.get("proxy_location")),
            proxies={_word(proxy.get("node_ip")): _word(proxy.get("status")) for proxy in proxies},
        )

    def application(self, name: str) -> Application:
        """The application called ``name``, now.

        Raises:
            EngineRefused: there is none.
            EngineError: the dashboard does not answer.
        """
        return _named(name, self.serve(), self.url)

    def ready(self, name: str, *, within_s: float = READY_WITHIN_S) -> Application:
        """The application called ``name`` once its status is RUNNING and none of its replicas is missing.

        An open port says nothing: Serve lists models long before a replica can answer.

        Raises:
            EngineRefused: it failed, or fewer replicas run than it is to have.
            EngineTimeout: it was not ready in time; with every status that it had meanwhile.
        """
        deadline, told = time.monotonic() + within_s, list[str]()
        while True:
            found = _named(name, self._patiently(deadline), self.url)
            if found.in_words() not in told[-1:]:
                told.append(found.in_words())
            if found.status == FAILED:
                raise worded(EngineRefused, note("ray_deploy_failed", told="\n".join(told)))
            if found.status == UNHEALTHY and time.monotonic() > deadline - within_s + found.noticed_within_s:
                raise worded(EngineRefused, note("ray_unhealthy", told="\n".join(told)))
            if found.status == RUNNING:
                return _complete(found)
            if time.monotonic() > deadline:
                raise worded(EngineTimeout, note("ray_not_running", seconds=within_s, told="\n".join(told)))
            time.sleep(LOOK_EVERY_S)

    def door(self, application: Application) -> str:
        """The address of the application's OpenAI-compatible routes: HTTP proxy and route prefix.

        Raises:
            EngineRefused: no proxy runs, or none can be reached from here.
        """
        serve = self.serve()
        if HEALTHY not in serve.proxies.values():
            seen = [f"{node} {status}" for node, status in serve.proxies.items()]
            raise worded(EngineRefused, note("ray_without_proxy", url=self.url, seen=seen))
        if not application.route:
            raise worded(EngineRefused, note("ray_without_route", application=application.name))
        return f"{self._proxy(serve)}{application.route.rstrip('/')}"

    def deploy(self, config: Mapping[str, Any]) -> None:
        """Have the application of ``config`` deployed, beside those that are there; this does not wait for it.

        Raises:
            EngineRefused: Serve does not take it; with its words.
            EngineError: the dashboard does not answer.
        """
        self._declare(config["name"], config)

    def remove(self, name: str, *, within_s: float = REMOVED_WITHIN_S) -> None:
        """Have the application called ``name`` removed, and return when it is gone.

        Raises:
            EngineTimeout: it is still there after ``within_s``.
            EngineError: the dashboard does not answer, or Serve does not take it.
        """
        deadline, is_told = time.monotonic() + within_s, False
        while name in (found := self._patiently(deadline)).applications:
            if not is_told:
                self._declare(name)
                is_told = True
            elif time.monotonic() > deadline:
                told = found.applications[name].in_words()
                raise worded(EngineTimeout, note("ray_not_removed", url=self.url, told=told))
            time.sleep(LOOK_EVERY_S)

    def _patiently(self, deadline: float) -> Serve:
        """What Serve does now; a dashboard that is busy is asked again until ``deadline``."""
        while True:
            try:
                return self.serve()
            except EngineError as error:
                if not error.transient or time.monotonic() > deadline:
                    raise
            time.sleep(LOOK_EVERY_S)

    def _declare(self, name: str, *own: Mapping[str, Any]) -> None:
        """Put ``own`` in the place of the application called ``name``, and keep the others.

        Serve knows no request for one application: it removes each that was declared before and is not declared now. So
        one that somebody else declares between our look and our request is lost.
        """
        serve = self.serve()
        kept = {"http_options": serve.http, "proxy_location": serve.proxy_location}
        others = (each for each in serve.applications.values() if each.name != name and each.status != DELETING)
        applications = [*(each.config for each in others if each.config), *own]
        body = {option: value for option, value in kept.items() if value} | {"applications": applications}
        with pages_of(self.url, self._access) as pages:
            page = self._admitted(pages.put(APPLICATIONS, body))
        if not page.is_ok:
            raise worded(EngineRefused, note("ray_not_taken", url=self.url, path=APPLICATIONS, said=page.said))

    def _proxy(self, serve: Serve) -> str:
        """Where the proxy listens, as seen from here: the head node has one, and the dashboard."""
        told, head = _word(serve.http.get("host")), urlsplit(self.url).hostname or ""
        host = head if told in EVERYWHERE else told
        if is_loopback(host) and not is_loopback(head):
            raise worded(EngineRefused, note("ray_proxies_local", url=self.url, host=host))
        scheme = "https" if serve.http.get("ssl_certfile") else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{_word(serve.http.get('port'))}"

    def _get(self, path: str) -> Page:
        with pages_of(self.url, self._access) as pages:
            return self._admitted(pages.get(path))

    def _admitted(self, page: Page) -> Page:
        if page.status in UNAUTHORISED:
            raise worded(EngineRefused, unauthorised(page.status, page.body, self._access, url=self.url))
        if page.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise worded(EngineError, note("ray_dashboard_failed", url=self.url, said=page.said), transient=True)
        return page


def _named(name: str, serve: Serve, url: str) -> Application:
    if name not in serve.applications:
        known = sorted(serve.applications)
        close = nearest(name, known)
        raise worded(EngineRefused, note("ray_no_application", url=url, name=name, known=known, close=close))
    return serve.applications[name]


def _application(name: str, told: Mapping[str, Any]) -> Application:
    """An application as the dashboard shows it; a field of an unexpected type counts as absent."""
    groups = object_of(told.get("deployments"))
    return Application(
        name=one_line(name),
        route=_word(told.get("route_prefix")),
        status=_word(told.get("status")),
        message=_said(told.get("message")),
        deployed_s=_number(told.get("last_deployed_time_s")),
        config=object_of(told.get("deployed_app_config")),
        groups=tuple(_group(one_line(each), object_of(group)) for each, group in sorted(groups.items())),
    )


def _group(name: str, told: Mapping[str, Any]) -> Group:
    settings = object_of(told.get("deployment_config"))
    period = _number(settings.get("health_check_period_s")) or CHECK_PERIOD_S
    timeout = _number(settings.get("health_check_timeout_s")) or CHECK_TIMEOUT_S
    return Group(
        name=name,
        wanted=int(_number(told.get("target_num_replicas")) or _number(settings.get("num_replicas"))),
        replicas=tuple(_replica(object_of(each)) for each in list_of(told.get("replicas"))),
        message=_said(told.get("message")),
        noticed_within_s=FAILED_CHECKS * (period + timeout),
    )


def _replica(told: Mapping[str, Any]) -> Replica:
    return Replica(
        id=_word(told.get("replica_id")),
        node=_word(told.get("node_ip")),
        started_s=_number(told.get("start_time_s")),
        state=_word(told.get("state")),
    )


def _llm_configs(found: object) -> Iterator[Mapping[str, Any]]:
    """Every LLMConfig in the arguments of a builder, wherever it stands."""
    if isinstance(found, dict) and isinstance(found.get(MODEL), dict):
        yield found
    elif isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            yield from _llm_configs(each)


def _complete(application: Application) -> Application:
    if application.short:
        raise worded(EngineRefused, note("ray_replicas_missing", application=application.in_words()))
    return application


def _said(found: object) -> str:
    """The end of a message: what is the matter stands last in a traceback."""
    return one_line(found[-MESSAGE_CHARACTERS:], MESSAGE_CHARACTERS) if isinstance(found, str) else ""


def _word(found: object) -> str:
    """A text or a number as the dashboard shows it; empty where it is neither."""
    return one_line(str(found)) if isinstance(found, str | int | float) else ""


def _number(found: object) -> float:
    """A number as the dashboard shows it; 0 where it is no number, or too large for a count or a time."""
    return float(found) if isinstance(found, int | float) and 0 <= found < MOST else 0.0
