"""A model behind Ray Serve is known, watched and waited for through its dashboard, here a double of one."""

import asyncio
import json
import os
import socket
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from fixtures.engines import pytest_unconfigure
from fixtures.run_folder import RUN_FOLDER
from papergate.acceptance.notes import SIZES, _notes_of_sizes
from papergate.acceptance.options import options_of
from papergate.acceptance.options_file import OptionsFile
from papergate.completions.policy import Policy, seed_of
from papergate.completions.progress import Silent
from papergate.completions.runner import ask
from papergate.completions.store import Store
from papergate.embedded import MODEL_DIR
from papergate.engines.held import stop_servers
from papergate.engines.managed.server import SERVER_FILE
from papergate.engines.ray.cluster import Cluster
from papergate.engines.ray.engine import RayEngine, attach
from papergate.engines.ray.own import OWN_FILE, application_of
from papergate.engines.records import Request
from papergate.engines.spec import Start
from papergate.engines.start import demand_here
from papergate.errors import EngineError, EngineRefused, EngineTimeout, OptionsError
from papergate.promises.records import Deployment, Sampling
from papergate.run_folder.files import servers_folder
from tests.meta.completions.test_store import manifest
from tests.meta.engines.test_start import PROMISE, deployed
from tests.meta.processes import LIMIT_S
from tests.meta.tiny_runs import case_of
from tests.servers.faulty_server import FaultyServer
from tests.servers.ray_dashboard import MODEL, RayDashboard, application, replica, running

SAMPLING = Sampling(temperature=Decimal("0.6"), top_p=Decimal("0.95"), max_tokens=64)
REQUEST = Request(problem="p", sample=0, prompt="2+2?", sampling=SAMPLING, seed=0)
TINY = PROMISE.deployment.model_copy(update={"engine": "ray"})
CPU = {"accelerator_config": {"kind": "cpu"}, "engine_kwargs": {"dtype": "float32", "max_model_len": 512}}
OWN = f"papergate-{TINY.name}"


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr("papergate.engines.ray.cluster.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("papergate.engines.ray.engine.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("papergate.engines.ray.engine.WATCH_EVERY_S", 0.0)


@contextmanager
def cluster(*applications, plan=None, **others):
    """A dashboard double in front of a server double: the dashboard, its address, and the server."""
    with FaultyServer(**{"plan": plan} if plan else {}) as server:
        told = {each["name"]: each for each in applications or (application(),)}
        dashboard = RayDashboard(applications=told, http={"host": "127.0.0.1", "port": server.port}, **others)
        with running(dashboard) as url:
            yield dashboard, url, server


def engine_at(url, name="tiny", **others):
    return RayEngine(Cluster(url), name, MODEL, **others)


def later(*applications):
    """Shows one application after another at each further look, and stays with the last."""
    shown = iter(applications)

    def change(dashboard):
        if (now := next(shown, None)) is not None:
            dashboard.applications = {now["name"]: now}

    return change


def answered(engine):
    return asyncio.run(engine.complete(REQUEST))


# -- who answers -------------------------------------------------------------------------------------------------------


def test_the_dashboard_tells_who_answers():
    with cluster(application("tiny", MODEL, replica("r2", "10.0.0.2"), replica("r1"), engine_kwargs={"seed": 3})) as at:
        _, url, server = at
        engine = engine_at(url)
        identity = engine.identity()
        assert answered(engine).endpoint == server.url
    assert (identity.engine, identity.version, identity.model) == ("ray", "2.60.0", MODEL)
    assert json.loads(identity.revision) == {"model_source": "/nowhere/weights"}
    environment = identity.environment
    assert environment["Ray commit"] == "c0ffee"
    assert environment["application"] == "tiny at /"
    assert json.loads(environment["LLMConfig"])["engine_kwargs"] == {"seed": 3}
    assert [environment.get(name) for name in SIZES] == ["1", "1", None]
    assert environment["replicas of LLMServer:double"] == (
        "2 of 2: r1 on 10.0.0.1 since 1970-01-01 00:16:40 UTC; r2 on 10.0.0.2 since 1970-01-01 00:16:40 UTC"
    )
    assert f"endpoint {server.url}" in environment
    assert "replicas that ended" not in environment


def revision_of(**config):
    with cluster(application(**config)) as (_, url, _):
        return engine_at(url).identity().revision


def test_other_weights_under_the_same_name_are_another_identity(tmp_path):
    told = [
        revision_of(),
        revision_of(model_source="/nowhere/others"),
        revision_of(engine_kwargs={"revision": "beef"}),
        revision_of(engine_kwargs={"quantization": "fp8"}),
        revision_of(model_source=str(MODEL_DIR)),
    ]
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"one")
    told.append(revision_of(model_source=str(folder)))
    assert len({*told}) == len(told)
    assert "sha256" in told[-1]
    assert revision_of(engine_kwargs={"max_num_seqs": 8}) == revision_of()


def test_weights_that_the_dashboard_does_not_tell_are_the_same_only_while_nobody_deploys():
    python = application() | {"deployed_app_config": None}
    with cluster(python) as (dashboard, url, _):
        first = engine_at(url).identity().revision
        assert "not told by the dashboard" in first
        assert engine_at(url).identity().revision == first
        dashboard.applications["tiny"]["last_deployed_time_s"] = 901.0
        assert engine_at(url).identity().revision != first


def test_a_replica_that_was_restarted_is_another_set_up_of_the_same_weights():
    with cluster() as (dashboard, url, _):
        engine = engine_at(url)
        before = engine.identity()
        dashboard.applications["tiny"] = application("tiny", MODEL, replica("r9", "10.0.0.3", 2000.0))
        after = engine.identity()
    assert before.revision == after.revision
    assert after.environment["replicas that ended"].startswith("r1 on 10.0.0.1")
    assert after.environment["replicas of LLMServer:double"].startswith("1 of 1: r9 on 10.0.0.3")
    assert (
        manifest(environment=dict(before.environment)).situation
        != manifest(environment=dict(after.environment)).situation
    )


def test_the_template_is_known_where_the_weights_are_here():
    with cluster(application(model_source=str(MODEL_DIR))) as (_, url, _):
        assert len(engine_at(url).identity().template) == 64


# -- ready -------------------------------------------------------------------------------------------------------------


def test_ready_is_the_status_of_the_application_and_not_its_port():
    waiting = [application(status="NOT_STARTED"), application(status="DEPLOYING", message="r1 is starting")]
    with cluster(changes=later(*waiting, application())) as (dashboard, url, _):
        engine_at(url)
        assert dashboard.looks > len(waiting)


def test_one_that_is_never_ready_is_given_up_with_all_that_it_said():
    waiting = [application(status="NOT_STARTED"), application(status="DEPLOYING", message="needs 9 GPUs")]
    with cluster(changes=later(*waiting)) as (_, url, _), pytest.raises(EngineTimeout) as refused:
        engine_at(url, patience_s=0.05)
    assert "tiny: NOT_STARTED\ntiny: DEPLOYING needs 9 GPUs" in str(refused.value)


def test_one_that_cannot_be_deployed_is_refused_with_the_end_of_its_traceback():
    message = "Traceback\n" + "  in a frame\n" * 200 + "ValueError: max_replicas_per_node is not allowed"
    refused = pytest.raises(EngineRefused, match=r"could not deploy .*max_replicas_per_node is not allowed")
    with cluster(application(status="DEPLOY_FAILED", message=message)) as (_, url, _), refused:
        engine_at(url)


@pytest.mark.parametrize(
    ("status", "words"), [("RUNNING", "fewer replicas run"), ("UNHEALTHY", "is not well, and Ray Serve does not mend")]
)
def test_fewer_replicas_than_there_are_to_be_are_refused_in_words(status, words):
    short = application("tiny", MODEL, replica(), replica("r2", state="STARTING"), status=status)
    with cluster(short) as (_, url, _), pytest.raises(EngineRefused) as refused:
        engine_at(url)
    assert words in str(refused.value)
    assert "LLMServer:double 1 of 2: r1 on 10.0.0.1" in str(refused.value)


def test_one_that_mends_itself_is_waited_for():
    short = two(replica()) | {"status": "UNHEALTHY"}
    with cluster(changes=later(short, application("tiny", MODEL, replica(), replica("r2")))) as (_, url, _):
        engine_at(url)


# -- where it is -------------------------------------------------------------------------------------------------------


def test_of_several_applications_the_one_that_serves_the_model_is_meant():
    start = Start(model=MODEL, servers=None)
    with cluster(application("other", "another"), application("tiny")) as (_, url, _):
        assert attach(url, TINY, start).identity().environment["application"] == "tiny at /"
    with cluster(application("one"), application("two")) as (_, url, _):
        with pytest.raises(EngineRefused, match=r"2 applications .*say which: --ray http.*#NAME; known: one, two"):
            attach(url, TINY, start)
        assert attach(f"{url}#two", TINY, start).identity().environment["application"] == "two at /"
        with pytest.raises(EngineRefused, match=r"no application 'tow'; known: one, two; did you mean two"):
            attach(f"{url}#tow", TINY, start)


def test_a_cluster_without_applications_is_refused():
    with running(RayDashboard()) as url, pytest.raises(EngineRefused, match="runs no application of Ray Serve"):
        attach(url, TINY, Start(model=MODEL, servers=None))


def test_the_environments_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with cluster() as (_, url, _):
        assert answered(engine_at(url)).text


def door(*, head="127.0.0.1", route="/", proxies=None, **http):
    """Where an application is reached on a cluster whose dashboard is at ``head``."""
    dashboard = RayDashboard(applications={"tiny": application() | {"route_prefix": route}})
    dashboard.http |= http
    dashboard.proxies = {"10.0.0.1": "HEALTHY"} if proxies is None else proxies
    with running(dashboard) as url:
        there = Cluster(url)
        found = there.application("tiny")
        there.url = f"http://{head}:8265"
        there.serve = Cluster(url).serve
        return there.door(found)


def test_the_door_is_where_the_proxy_of_the_head_listens():
    assert door() == "http://127.0.0.1:8000"
    assert door(route="/r1") == "http://127.0.0.1:8000/r1"
    assert door(head="head.example", host="0.0.0.0") == "http://head.example:8000"
    assert door(head="[fd00::1]", host="::") == "http://[fd00::1]:8000"
    assert door(head="head.example", host="10.1.1.1", port=9) == "http://10.1.1.1:9"
    assert door(ssl_certfile="/cert") == "https://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"head": "head.example"}, "listen on 127.0.0.1 of their own machines only; .*--endpoint URL"),
        ({"proxies": {}}, r"no HTTP proxy of Ray Serve is HEALTHY \(proxies: none\)"),
        ({"proxies": {"10.0.0.1": "DRAINING"}}, r"\(proxies: 10.0.0.1 DRAINING\)"),
        ({"route": None}, "has no route_prefix"),
    ],
)
def test_an_application_that_cannot_be_reached_is_refused_with_the_remedy(how, words):
    with pytest.raises(EngineRefused, match=words):
        door(**how)


def test_endpoints_say_where_it_is_reached_in_place_of_the_dashboard():
    with cluster() as (dashboard, url, server):
        dashboard.http["port"] = 9
        engine = attach(url, TINY, Start(model=MODEL, servers=None), [server.url])
        assert answered(engine).endpoint == server.url


# -- dashboards that are none ------------------------------------------------------------------------------------------


def test_a_dashboard_that_is_not_there_is_said_to_be_so():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match="cannot be reached"):
        attach(f"http://127.0.0.1:{port}", TINY, Start(model=MODEL, servers=None))


@pytest.mark.parametrize(
    ("route", "page", "words"),
    [
        ("/api/version", (200, "<html>"), "is no dashboard of Ray: /api/version answered 200"),
        ("/api/version", (404, "404: Not Found"), "is no dashboard of Ray"),
        ("/api/version", (200, '{"ray_version": {"no": "text"}}'), None),
        ("/api/serve/applications/", (200, "["), "does not list the applications"),
        ("/api/serve/applications/", (200, '{"applications": ["tiny"]}'), "does not list the applications"),
        ("/api/serve/applications/", (501, "Serve dependencies are not installed"), "Serve dependencies are not"),
        ("/api/serve/applications/", (503, "The GCS may be down"), "The GCS may be down"),
    ],
)
def test_what_is_no_dashboard_is_refused_in_its_own_words(route, page, words):
    with running(RayDashboard(pages={route: page})) as url, pytest.raises(EngineError, match=words):
        attach(url, TINY, Start(model=MODEL, servers=None))


ODD = [None, 7, "text", [], {}, [None], {"tiny": None}, float("1e300"), True, -1]


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize(
    "field", ["status", "deployments", "deployed_app_config", "last_deployed_time_s", "route_prefix"]
)
def test_fields_of_another_type_than_expected_end_in_words(field, odd):
    told = application()
    told[field] = odd
    with cluster(told) as (_, url, _), suppress(EngineError):  # any other error is a fault of papergate
        engine_at(url, patience_s=0.0).identity()


def group(**changes):
    told = application()
    told["deployments"]["LLMServer:double"] |= changes
    return told


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["replicas", "deployment_config", "target_num_replicas", "message"])
def test_fields_of_a_group_of_another_type_than_expected_end_in_words(field, odd):
    with cluster(group(**{field: odd})) as (_, url, _), suppress(EngineError):
        engine_at(url, patience_s=0.0).identity()


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["replica_id", "node_ip", "start_time_s", "state"])
def test_fields_of_a_replica_of_another_type_than_expected_end_in_words(field, odd):
    with cluster(group(replicas=[replica() | {field: odd}])) as (_, url, _), suppress(EngineError):
        engine_at(url, patience_s=0.0).identity()


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["model_loading_config", "engine_kwargs"])
def test_a_configuration_of_another_type_than_expected_ends_in_words(field, odd):
    told = application()
    told["deployed_app_config"]["args"]["llm_configs"][0][field] = odd
    with cluster(told) as (_, url, _), suppress(EngineError):
        engine_at(url, patience_s=0.0).identity()


def test_a_cluster_that_demands_a_token_gets_its_own_and_not_the_servers_key(monkeypatch):
    monkeypatch.setenv("PAPERGATE_API_KEY", "of-the-server")
    with cluster(token="of-the-cluster") as (_, url, _):
        with pytest.raises(EngineRefused, match=r"answered 401 .*no key was sent; set RAY_AUTH_TOKEN"):
            engine_at(url)
        monkeypatch.setenv("RAY_AUTH_TOKEN", "of-the-cluster")
        engine_at(url)


# -- what dies meanwhile -----------------------------------------------------------------------------------------------


async def dead(asked, reply):
    """The door of a replica whose engine is dead; as Ray 2.60.0 words it."""
    del asked
    words = "Message: Internal Server Error, Internal exception: Internal Server Error, original exception: "
    error = {"error": {"message": f"{words}ray::ServeReplica:tiny:LLMServer.handle()", "code": 500}}
    await reply.whole("500 Internal Server Error", "application/json", json.dumps(error))


def first_dead(asked):
    return dead if asked.time == 1 else "answer"


SLOW = {"health_check_period_s": 600, "health_check_timeout_s": 600}


def two(*replicas):
    """An application of two replicas, of which ``replicas`` run."""
    return group(deployment_config=SLOW, target_num_replicas=2, replicas=[*replicas])


def test_one_of_two_replicas_that_is_taken_out_needs_no_successor_before_the_other_answers():
    def goes(dashboard):
        if dashboard.looks == 40:
            dashboard.applications["tiny"] = two(replica("r2"))

    with cluster(two(replica(), replica("r2")), plan=lambda _: dead, changes=goes) as (dashboard, url, _):
        with pytest.raises(EngineError, match="ray::ServeReplica") as failed:
            answered(engine_at(url, patience_s=LIMIT_S))
        assert failed.value.transient
        assert dashboard.looks >= 40


def test_a_replica_that_is_added_beside_the_dead_one_does_not_end_the_wait():
    def grows(dashboard):
        if dashboard.looks == 5:
            dashboard.applications["tiny"] = two(replica(), replica("r2"))
        if dashboard.looks == 40:
            dashboard.applications["tiny"] = two(replica("r2"))

    with cluster(group(deployment_config=SLOW), plan=lambda _: dead, changes=grows) as (dashboard, url, _):
        with pytest.raises(EngineError, match="ray::ServeReplica") as failed:
            answered(engine_at(url, patience_s=LIMIT_S))
        assert failed.value.transient
        assert dashboard.looks >= 40


def mended(after):
    """A replica that Serve replaces at its look number ``after``."""

    def change(dashboard):
        if dashboard.looks == after:
            new = replica("r2", started_s=2000.0)
            dashboard.applications["tiny"] = group(deployment_config=SLOW, replicas=[new])

    return change


def test_a_dead_engine_behind_a_living_replica_costs_one_attempt_however_long_it_takes(tmp_path):
    with cluster(group(deployment_config=SLOW), plan=first_dead, changes=mended(after=40)) as (dashboard, url, server):
        engine = engine_at(url)
        requests = [replace(REQUEST, problem=f"p{n}", seed=seed_of(0, f"p{n}", 0)) for n in range(8)]
        with Store.open(tmp_path, manifest(run_seed=0)) as store:
            ask(engine, requests, store, Policy(attempts=2, first_wait_s=0.001), Silent())
            found = store.completions()
        assert len(found) == len(requests)
        assert {each.attempts for each in found.values()} == {2}
        assert len(server.log) == 2 * len(requests)
        assert dashboard.looks >= 40


def test_an_error_that_serve_finds_nothing_wrong_about_is_an_ordinary_failure():
    with cluster(plan=lambda _: dead) as (_, url, _), pytest.raises(EngineError, match="ray::ServeReplica") as failed:
        answered(engine_at(url))
    assert failed.value.transient


def test_a_replica_that_nothing_replaces_is_given_up_with_the_status():
    def goes(dashboard):
        if dashboard.looks == 4:
            gone = application("tiny", MODEL, replica(state="STARTING"), status="UNHEALTHY", message="no GPU is left")
            dashboard.applications["tiny"] = gone

    with cluster(plan=lambda _: dead, changes=goes) as (_, url, _):
        engine = engine_at(url, patience_s=0.3)
        with pytest.raises(EngineTimeout, match=r"nothing has taken the place .*UNHEALTHY no GPU is left") as failed:
            answered(engine)
    assert not failed.value.transient


def test_other_failures_do_not_wait_for_the_dashboard():
    with cluster(plan=lambda _: "broken") as (dashboard, url, _):
        engine = engine_at(url)
        looks = dashboard.looks
        with pytest.raises(EngineError, match="answered 500"):
            answered(engine)
        assert dashboard.looks == looks + 1


def test_an_application_that_is_deployed_anew_with_other_weights_is_asked_no_more():
    with cluster() as (dashboard, url, server):
        engine = engine_at(url)
        assert answered(engine).text
        dashboard.applications["tiny"] = application(model_source="/nowhere/others")
        for _ in range(3):
            with pytest.raises(EngineRefused, match=r"deployed anew .*/nowhere/others.* begin a new run"):
                answered(engine)
        assert len(server.log) == 1


def test_a_dashboard_that_falls_silent_ends_no_run_and_no_identity_is_made_up():
    with FaultyServer() as server:
        dashboard = RayDashboard(applications={"tiny": application()}, http={"host": "127.0.0.1", "port": server.port})
        with running(dashboard) as url:
            engine = engine_at(url)
        assert answered(engine).text
        with pytest.raises(EngineError, match="cannot be reached"):
            engine.identity()


# -- applications of our own -------------------------------------------------------------------------------------------

MINE = TINY.model_copy(update={"llm_config": CPU, "data_parallel": 2, "tensor_parallel": 4, "pipeline_parallel": 3})


@contextmanager
def deploying(*others, **settings):
    """A cluster that runs ``others`` and takes what is declared."""
    with FaultyServer(prefix=f"/{OWN}") as server:
        dashboard = RayDashboard(applications={each["name"]: each for each in others}, **settings)
        dashboard.http["port"] = server.port
        if "becomes" not in settings:
            dashboard.becomes = as_wanted
        with running(dashboard) as url:
            yield dashboard, url


def as_wanted(config):
    told = application(config["name"], MODEL, replica(), replica("r2"))
    return told | {"deployed_app_config": config, "route_prefix": config["route_prefix"]}


def start_in(folder, **others):
    return Start(model=MODEL, servers=folder / "servers", **others)


def test_a_deployment_states_replicas_and_sizes_once():
    told = application_of(MINE, "papergate-tiny")
    (config,) = told["args"]["llm_configs"]
    assert (told["name"], told["route_prefix"]) == (OWN, f"/{OWN}")
    assert config["model_loading_config"] == {"model_source": str(MODEL_DIR), "model_id": "papergate-tiny"}
    assert config["deployment_config"] == {"num_replicas": 2}
    assert config["engine_kwargs"] == CPU["engine_kwargs"] | {"tensor_parallel_size": 4, "pipeline_parallel_size": 3}
    assert config["accelerator_config"] == {"kind": "cpu"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"engine_kwargs": {"tensor_parallel_size": 8}}, "tensor_parallel_size: state tensor_parallel of the deploy"),
        ({"engine_kwargs": {"pipeline_parallel_size": 8}}, "state pipeline_parallel"),
        ({"deployment_config": {"num_replicas": 8}}, "state data_parallel"),
        ({"model_loading_config": {"model_id": "other"}}, "state model"),
        ({"engine_kwargs": 8}, "engine_kwargs: write a table"),
    ],
)
def test_a_size_that_is_stated_twice_is_a_mistake_of_the_target(config, words):
    stated = TINY.model_dump(mode="json") | {"llm_config": config}
    with pytest.raises(ValidationError, match=words):
        Deployment.model_validate_json(json.dumps(stated))


def test_numbers_of_a_target_file_reach_the_cluster_as_numbers():
    stated = {"engine_kwargs": {"gpu_memory_utilization": Decimal("0.2"), "max_model_len": 512}}
    found = Deployment.model_validate(dict(TINY) | {"llm_config": stated}).llm_config
    assert json.dumps(found["engine_kwargs"]) == '{"gpu_memory_utilization": 0.2, "max_model_len": 512}'


def test_what_is_deployed_stands_beside_the_others_and_goes_at_the_end(tmp_path):
    other = application("other", "another")
    python, going = application("python") | {"deployed_app_config": None}, application("going", status="DELETING")
    with deploying(other, python, going) as (dashboard, url):
        engine = attach(url, MINE, start_in(tmp_path))
        assert answered(engine).text
        assert [each["name"] for each in dashboard.declared[0]["applications"]] == ["other", OWN]
        assert dashboard.declared[0]["http_options"] == dashboard.http
        assert dashboard.declared[0]["proxy_location"] == "EveryNode"
        engine.close()
        engine.close()
        assert len(dashboard.declared) == 2
        assert {*dashboard.applications} == {"other", "python"}
        assert dashboard.applications["other"] == other


def test_processes_of_one_run_share_the_application_and_its_owner_removes_it(tmp_path):
    with deploying() as (dashboard, url):
        engines = [attach(url, MINE, start_in(tmp_path, owner=os.getppid())) for _ in range(2)]
        for engine in engines:
            engine.close()
        assert len(dashboard.declared) == 1
        assert OWN in dashboard.applications
        stop_servers(tmp_path / "servers")
        stop_servers(tmp_path / "servers")
        assert not dashboard.applications


def test_an_application_that_another_run_deployed_is_neither_used_nor_replaced_nor_removed(tmp_path):
    with deploying() as (dashboard, url):
        attach(url, MINE, start_in(tmp_path / "one"))
        with pytest.raises(EngineRefused, match=rf"this run did not deploy .*Attach to it: --ray {url}#{OWN}"):
            attach(url, MINE, start_in(tmp_path / "other"))
        stop_servers(tmp_path / "other" / "servers")
        assert OWN in dashboard.applications
        attach(f"{url}#{OWN}", MINE, start_in(tmp_path / "other")).close()
        assert OWN in dashboard.applications


def test_sizes_of_an_application_that_the_target_states_otherwise_are_noted(tmp_path):
    with deploying() as (_, url):
        attach(url, MINE, start_in(tmp_path))
        identity = attach(f"{url}#{OWN}", MINE, start_in(tmp_path / "other")).identity()
    assert [identity.environment[name] for name in SIZES] == ["4", "3", "2"]
    for wanted, seen in ((MINE, []), (MINE.model_copy(update={"data_parallel": 8}), [("data_parallel", "2", "8")])):
        promise = PROMISE.model_copy(update={"deployment": wanted})
        notes = _notes_of_sizes(replace(case_of(promise), identity=identity))
        assert [(one.values["what"], one.values["seen"], one.values["stated"]) for one in notes] == seen


def test_another_statement_in_the_same_run_is_refused(tmp_path):
    with deploying() as (_, url):
        attach(url, MINE, start_in(tmp_path))
        with pytest.raises(EngineRefused, match="did not deploy as it is stated now"):
            attach(url, MINE.model_copy(update={"data_parallel": 3}), start_in(tmp_path))


def test_an_application_that_a_restarted_cluster_lost_is_deployed_again(tmp_path):
    with deploying() as (dashboard, url):
        attach(url, MINE, start_in(tmp_path))
        dashboard.applications.clear()
        attach(url, MINE, start_in(tmp_path))
        assert OWN in dashboard.applications


def test_what_cannot_be_deployed_is_taken_away_again(tmp_path):
    def fails(config):
        return as_wanted(config) | {"status": "DEPLOY_FAILED", "message": "no such model"}

    with deploying(becomes=fails) as (dashboard, url):
        with pytest.raises(EngineRefused, match=r"could not deploy .*no such model"):
            attach(url, MINE, start_in(tmp_path))
        assert not dashboard.applications


def test_what_serve_does_not_take_is_said_in_its_words(tmp_path):
    refused = pytest.raises(EngineRefused, match=r"does not take the applications: .*ValidationError: engine_kwargs")
    with deploying(pages={"PUT": (400, "ValidationError: engine_kwargs")}) as (_, url), refused:
        attach(url, MINE, start_in(tmp_path))


def test_a_dashboard_that_is_busy_while_it_is_waited_for_is_asked_again(tmp_path):
    with deploying() as (dashboard, url):
        engine = attach(url, MINE, start_in(tmp_path))
        looks = dashboard.looks
        dashboard.fails = 3
        assert engine._cluster.ready(OWN).status == "RUNNING"
        dashboard.fails = 3
        engine.close()
        assert not dashboard.applications
        assert dashboard.looks > looks


def test_an_application_that_does_not_go_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(Cluster.remove, "__kwdefaults__", {"within_s": 0.05})
    with deploying() as (dashboard, url):
        engine = attach(url, MINE, start_in(tmp_path))
        dashboard.put = lambda _: None
        with pytest.raises(EngineTimeout, match=rf"still runs the application {OWN}: RUNNING.*; remove it there"):
            engine.close()


@pytest.mark.parametrize("held", ["{", "[]", "7", "{}", '{"dashboard": "http://127.0.0.1:9"}', '{"more": 1}'])
@pytest.mark.parametrize("file", [OWN_FILE, SERVER_FILE])
def test_what_a_run_did_not_write_about_its_servers_is_an_error_with_the_remedy(tmp_path, file, held):
    folder = tmp_path / "servers" / "tiny"
    folder.mkdir(parents=True)
    (folder / file).write_text(held)
    with pytest.raises(EngineError, match=rf"{file} is not as papergate wrote it .*, then remove this file"):
        stop_servers(tmp_path / "servers")


NOTED: dict[str, dict] = {
    OWN_FILE: {"dashboard": "http://127.0.0.1:9", "application": {"name": OWN}, "ca_file": ""},
    SERVER_FILE: {"pid": 99999, "born": "1", "port": 9, "command": ["python"], "environment": {}, "start_s": 1.0},
}


SHAPES = (None, True, 7, 0.5, "x", ["x", 1], [[]], {"x": []})


def other_shapes():
    """Each field of each file with every shape of JSON that it does not have."""
    accepted = {float: (int, float)}
    return [
        (file, name, shape)
        for file, held in NOTED.items()
        for name, fits in held.items()
        for shape in SHAPES
        if type(shape) not in accepted.get(type(fits), (type(fits),)) or shape == ["x", 1]
    ]


@pytest.fixture
def signalled(monkeypatch):
    """What would have been signalled: with a wrong number, that is every process of the machine."""
    signalled = []
    monkeypatch.setattr("os.killpg", lambda *given: signalled.append(given))
    return signalled


@pytest.mark.parametrize(("file", "name", "shape"), other_shapes())
def test_any_shape_of_json_in_a_file_about_a_server_is_an_error_in_words(tmp_path, signalled, file, name, shape):
    folder = tmp_path / "servers" / "tiny"
    folder.mkdir(parents=True)
    (folder / file).write_text(json.dumps(NOTED[file] | {name: shape}))
    with pytest.raises(EngineError, match=f"{file} is not as papergate wrote it .{name}"):
        stop_servers(tmp_path / "servers")
    assert not signalled


@pytest.mark.parametrize("pid", [-1, 0, 1, 1 << 31, 1 << 70])
def test_no_number_that_means_other_processes_to_a_signal_is_taken_for_a_server(tmp_path, signalled, pid):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / SERVER_FILE).write_text(json.dumps(NOTED[SERVER_FILE] | {"pid": pid}))
    with pytest.raises(EngineError, match="pid: Input should be"):
        stop_servers(tmp_path)
    assert not signalled


def test_what_cannot_be_ended_keeps_nothing_else_running_and_each_of_it_is_named(tmp_path):
    with deploying() as (dashboard, url):
        attach(url, MINE, start_in(tmp_path))
        for name in ("a", "z"):
            (tmp_path / "servers" / name).mkdir()
            (tmp_path / "servers" / name / SERVER_FILE).write_text("{}")
        with pytest.raises(EngineError, match=rf"a/{SERVER_FILE} is not as .*\n.*z/{SERVER_FILE} is not as"):
            stop_servers(tmp_path / "servers")
        assert not dashboard.applications


def test_the_end_of_a_session_names_what_could_not_be_removed_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Cluster.remove, "__kwdefaults__", {"within_s": 0.05})
    run = tmp_path / "run"
    with deploying() as (_, url):
        attach(url, MINE, Start(model=MODEL, servers=servers_folder(run)))
    pytest_unconfigure(SimpleNamespace(stash={RUN_FOLDER: run}))
    assert f"papergate: {url} cannot be reached" in capsys.readouterr().err


# -- how it is asked for -----------------------------------------------------------------------------------------------


def test_a_target_of_ray_needs_a_dashboard_and_no_hardware_here():
    promise = deployed(engine="ray")
    with pytest.raises(EngineError, match="give --ray http://HEAD:8265"):
        demand_here(promise)
    demand_here(promise, ["http://127.0.0.1:9"])
    demand_here(deployed(engine="ray", endpoint="http://127.0.0.1:9"))


def options(**given):
    return options_of({f"--{name}": value for name, value in given.items()}.get)


def test_the_option_is_refused_where_it_cannot_mean_anything():
    assert options(ray="http://head:8265#tiny").attached == ("http://head:8265#tiny",)
    with pytest.raises(OptionsError, match="--ray: endpoint 'head:8265' is no address"):
        options(ray="head:8265")
    with pytest.raises(OptionsError, match="--ray asks a server, --predictions reads a file"):
        options(ray="http://head:8265", predictions="log.jsonl")
    with pytest.raises(OptionsError, match="leave out --ray"):
        options(ray="http://head:8265", coordinate="/shared", shards=2)


def test_on_the_command_line_it_displaces_the_endpoint_of_a_file():
    get = OptionsFile(values={"--endpoint": ["http://a:1"]}).beside({"--ray": "http://head:8265"}.get)
    assert not options_of(get).endpoints
