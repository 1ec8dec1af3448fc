"""Drift: damaged deployments fail, faithful ones pass, and what cannot be told is said."""

import json
import math
import shutil
from xml.etree import ElementTree as ET

import pytest

from papergate.cli import main
from papergate.diagnosis.drift import most_harmless, parting, thresholds
from papergate.diagnosis.drift_readers import Spoken
from papergate.embedded import MODEL_DIR
from papergate.engines.in_process.rounding import round_weights
from papergate.exit_codes import ExitCode
from papergate.run_folder.drift import DriftRecord
from papergate.run_folder.files import DRIFT_FILE, GOLDEN_ANSWERS_FILE
from papergate.run_folder.golden_answers import GoldenAnswer, GoldenAnswers, Variation, write_golden_answers
from papergate.statistics.drift import divergence, excess, sharpened, sharpening
from papergate.words import say
from tests.meta.processes import forked
from tests.servers.drawing_server import MODEL as DRAWN
from tests.servers.drawing_server import drawing_server
from tests.servers.model_server import MODEL, model_server


@pytest.fixture(scope="module")
def golden(golden_answers, tmp_path_factory):
    """The folder that `papergate golden make cpu` leaves."""
    folder = tmp_path_factory.mktemp("golden")
    write_golden_answers(folder, golden_answers)
    return folder


def drifted(url, golden, folder):
    """Exit status of the command, and its record."""
    command = ["drift", "cpu_vllm", "--endpoint", url, "--model", MODEL, "--golden", str(golden), "--run", str(folder)]
    status = main(command)
    (record,) = (DriftRecord.read(path) for path in folder.glob(f"*/{DRIFT_FILE}"))
    return status, record


def state(record, code):
    (check,) = (check for check in record.checks if check.code == code)
    return check


def rounded(bits):
    return lambda model: round_weights(model, bits)


def other_theta(model):
    rope = model.model.rotary_emb
    rope.inv_freq = rope.inv_freq**1.075  # as a theta of about 20,000 in place of 10,000 has it


def no_mlp(model):
    model.model.layers[2].mlp.down_proj.weight.data.zero_()


@pytest.mark.parametrize("changes", [{}, {"dtype": "bfloat16"}, {"dtype": "float16"}])
def test_faithful_deployments_pass_without_a_warning(golden, tmp_path, changes):
    with model_server(**changes) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, record.result) == (0, "pass")
    assert {check.state for check in record.checks} == {"ok"}


@pytest.mark.parametrize("bits", [6, 5])
def test_fewer_bits_that_lose_no_score_are_warned_of_and_pass(golden, tmp_path, bits):
    with model_server(weights=rounded(bits)) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, state(record, "forced").state) == (0, "noted")


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": rounded(4)},
        {"weights": other_theta},
        {"weights": no_mlp},
        {"seen": lambda ids: [0, *ids]},
    ],
    ids=["int4", "rope", "mlp", "mask"],
)
def test_damaged_deployments_fail_by_their_log_probabilities(golden, tmp_path, changes):
    with model_server(**changes) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, record.result, state(record, "forced").state) == (1, "drifted", "failed")
    assert state(record, "prompts").state == "ok"


def test_a_missing_prefill_is_called_another_template(golden, tmp_path):
    with model_server(template=lambda text: text.replace(r"<think>\n", "")) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, state(record, "prompts").values["reason"]) == (1, "template")
    assert state(record, "forced").state == "ok", "token ids go past the template"
    assert state(record, "greedy_answers").state == "failed"


def test_a_fault_of_decoding_alone_is_seen_by_greedy_answers(golden, tmp_path):
    with model_server(drawing=no_mlp) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, state(record, "forced").state, state(record, "greedy_answers").state) == (1, "ok", "failed")
    assert "at decoding" in say(state(record, "greedy_answers"))


@pytest.mark.parametrize("changes", [{}, {"logprobs": "absent"}], ids=["numbers", "texts"])
def test_a_cap_of_the_server_is_called_one_and_no_fault_of_decoding(golden, tmp_path, changes):
    with model_server(body=lambda body: {**body, "max_tokens": min(24, body["max_tokens"])}, **changes) as url:
        status, record = drifted(url, golden, tmp_path)
    check = state(record, "greedy_answers")
    assert (status, check.values["reason"]) == (1, "server-cap")
    assert 20 <= check.values["tokens"] <= 24, "of a text, blanks at its end are not seen"
    assert (check.values["clear"], check.values["cut"] > 30) == (0, True)
    assert "a limit of the server" in say(check)


def test_scaled_log_probabilities_are_told_from_drift(golden, tmp_path):
    with model_server(logprobs="scaled") as url:
        status, record = drifted(url, golden, tmp_path)
    check = state(record, "forced")
    assert (status, check.state, check.values["reason"], check.values["temperature"]) == (0, "unknown", "scaled", 0.6)


def test_given_tokens_alone_tell_drift_too(golden, tmp_path):
    with model_server(logprobs="given", weights=rounded(3)) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, state(record, "forced").state) == (1, "failed")
    assert state(record, "forced").values["best"] is False


def test_a_server_without_log_probabilities_is_judged_by_its_greedy_texts(golden, tmp_path):
    with model_server(logprobs="absent", tokenize=False) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, record.result) == (0, "pass")
    assert {check.code: check.state for check in record.checks} == {
        "prompts": "unknown",
        "forced": "unknown",
        "greedy_answers": "ok",
    }
    with model_server(logprobs="absent", weights=rounded(3)) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, state(record, "greedy_answers").state) == (1, "failed")


def test_texts_are_not_compared_with_tokens_whose_texts_nobody_told(golden, tmp_path):
    """As golden answers are that a server told by ``echo``, without texts."""
    record = GoldenAnswers.read(golden / GOLDEN_ANSWERS_FILE)
    write_golden_answers(tmp_path / "golden", record.model_copy(update={"texts": {}}))
    with model_server(logprobs="absent", weights=rounded(3)) as url:
        status, record = drifted(url, tmp_path / "golden", tmp_path / "run")
    assert (status, record.result) == (10, "cannot tell")
    assert state(record, "greedy_answers").values["reason"] == "no-golden-texts"
    with model_server(weights=rounded(3)) as url:
        status, record = drifted(url, tmp_path / "golden", tmp_path / "numbered")
    assert (status, state(record, "greedy_answers").state) == (1, "failed")


def test_nothing_that_can_be_compared_cannot_be_told(golden, tmp_path, capsys):
    with model_server(logprobs="absent", refuses_greedy=True) as url:
        status, record = drifted(url, golden, tmp_path)
    assert (status, record.result) == (10, "cannot tell")
    assert "the server refuses temperature 0" in capsys.readouterr().out


def test_another_tokenizer_is_named_and_its_numbers_are_not_compared(golden, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(MODEL_DIR, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["1"], vocabulary["2"] = vocabulary["2"], vocabulary["1"]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with model_server(folder=folder) as url:
        status, record = drifted(url, golden, tmp_path / "run")
    assert (status, state(record, "prompts").values["reason"]) == (1, "tokenizer")
    assert state(record, "forced").values["reason"] == "other-tokenizer"


def test_each_server_is_compared_by_itself(golden, tmp_path, capsys):
    with model_server() as one, model_server(weights=rounded(3)) as other:
        command = ["drift", "cpu_vllm", "--endpoint", one, "--endpoint", other, "--model", MODEL]
        assert main([*command, "--golden", str(golden), "--run", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"failed: {other}" in said
    assert f"failed: {one}" not in said


def test_a_golden_run_without_log_probabilities_is_refused(tmp_path, capsys):
    with model_server() as url:
        command = ["drift", "cpu_vllm", "--endpoint", url, "--model", MODEL, "--golden", str(tmp_path)]
        assert main(command) == 2
    assert "a stored run has no log-probabilities" in capsys.readouterr().err


def test_golden_answers_of_another_model_are_refused(golden, tmp_path, capsys):
    record = GoldenAnswers.read(golden / GOLDEN_ANSWERS_FILE)
    write_golden_answers(tmp_path, record.model_copy(update={"model": "org/other"}))
    with model_server() as url:
        command = ["drift", "cpu_vllm", "--endpoint", url, "--model", MODEL, "--golden", str(tmp_path)]
        assert main(command) == 2
    assert "the golden answers are of org/other" in capsys.readouterr().err


def making(url, folder, *, answers=4):
    command = ["golden", "make", "cpu_vllm", "--endpoint", url, "--model", MODEL]
    return [*command, "-o", str(folder), "--answers", str(answers)]


def test_golden_answers_of_a_server_serve_as_well(tmp_path, capsys):
    made = tmp_path / "golden"
    with model_server() as url, model_server(dtype="bfloat16") as faithful, model_server(weights=rounded(4)) as damaged:
        command = making(url, made, answers=20)
        assert main([*command, "--faithful", faithful, "--damaged", damaged]) == 0
        assert "(measured)" in capsys.readouterr().out
        assert drifted(url, made, tmp_path / "same")[0] == 0
        assert drifted(damaged, made, tmp_path / "other")[0] == 1
    with model_server(logprobs="scaled") as url:
        # at temperature 1.0 they are raw but for their own scale, which nobody can tell
        assert main(making(url, tmp_path / "scaled")) == 0
    with model_server(tokenize=False) as url:
        assert main(making(url, tmp_path / "untold")) == 2
    assert "tells tokens by number" in capsys.readouterr().err


def test_a_server_beside_the_golden_one_that_tells_nothing_is_refused_before_all_answers_are_drawn(tmp_path, capsys):
    with model_server() as url, model_server(logprobs="absent") as mute:
        assert main([*making(url, tmp_path), "--damaged", mute]) == 2
    said = capsys.readouterr()
    assert f"{mute} does not tell log-probabilities of given tokens" in said.err
    assert "drawing" not in said.out


def test_golden_answers_that_are_there_are_kept(golden, tmp_path, capsys):
    shutil.copy(golden / GOLDEN_ANSWERS_FILE, tmp_path)
    before = (tmp_path / GOLDEN_ANSWERS_FILE).read_bytes()
    with model_server() as url:
        assert main(making(url, tmp_path)) == 2
    said = capsys.readouterr()
    assert "holds golden answers already" in said.err
    assert "drawing" not in said.out
    assert (tmp_path / GOLDEN_ANSWERS_FILE).read_bytes() == before


def test_a_place_that_cannot_take_golden_answers_is_refused_before_any_is_drawn(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with model_server() as url:
        assert main(making(url, tmp_path / "file" / "golden")) == 2
    said = capsys.readouterr()
    assert "-o FOLDER" in said.err
    assert "drawing" not in said.out


def marked(mark, url, folder, *more):
    """A session of pytest: its exit status, and the properties of its one test."""
    xml = folder / "out.xml"
    command = ["pytest", "tests/deployment", "-p", "no:cacheprovider", "-m", mark, "-q"]
    options = ["--endpoint", url, "--model", MODEL, "--run", str(folder / "run"), f"--junitxml={xml}", *more]
    done = forked(*command, *options)
    cases = [*ET.parse(xml).getroot().iter("testcase")] if xml.exists() else []
    return done, [{one.get("name"): one.get("value") for one in case.iter("property")} for case in cases]


def test_pytest_looks_at_a_deployment_by_its_marks_alone(golden, tmp_path):
    with model_server(weights=rounded(4)) as url:
        done, (found,) = marked("drift and cpu_vllm", url, tmp_path, "--golden", str(golden))
        assert (done.returncode, found["drift"], found["check_forced"]) == (1, "drifted", "failed"), done.stdout
        assert float(found["forced_divergence"]) > float(found["forced_fail"])
        done, found = marked("cpu_vllm", url, tmp_path)
    assert (done.returncode, found) == (5, []), done.stdout
    with drawing_server() as url:
        done, (found,) = marked("preflight and cpu_vllm", url, tmp_path, "--model", DRAWN)
    assert (done.returncode, found["preflight"]) == (0, "ok"), done.stdout
    with model_server(logprobs="absent", refuses_greedy=True) as url:
        done, (found,) = marked("drift and cpu_vllm", url, tmp_path, "--golden", str(golden))
    assert (done.returncode, found["drift"]) == (10, "cannot tell"), done.stdout


def test_a_preflight_of_what_is_no_server_is_no_success(tmp_path):
    command = ["pytest", "tests/deployment", "-p", "no:cacheprovider", "-m", "preflight and cpu"]
    done = forked(*command, "--run", tmp_path)
    assert done.returncode == ExitCode.USAGE_ERROR, done.stdout
    assert "a preflight looks at servers alone" in done.stdout + done.stderr


# the measures


def test_a_divergence_over_cells_is_never_more_than_over_tokens():
    golden = {1: math.log(0.6), 2: math.log(0.3), 3: math.log(0.1)}
    other = {1: math.log(0.5), 2: math.log(0.2), 3: math.log(0.3)}
    exact = sum(math.exp(p) * (p - other[token]) for token, p in golden.items())
    assert divergence(golden, other) == pytest.approx(exact)
    hidden = {token: value for token, value in other.items() if token != 3}
    assert 0 < divergence(golden, hidden) <= exact + 1e-12
    assert divergence(golden, golden) == 0
    assert divergence(golden, {1: -50.0, 2: -50.0}) == 2.0, "one ruined place has its limit"


def test_an_excess_is_never_negative_and_bounded():
    assert excess(-0.5, -0.5) == 0
    assert excess(-0.1, -30.0) == 2.0
    assert excess(-30.0, -0.1) == 2.0


def test_another_temperature_is_told_by_its_factor():
    rows = [{1: -0.1, 2: -2.4}, {3: -0.7, 4: -0.8}]
    assert sharpening(rows, [sharpened(row, 1 / 0.6) for row in rows]) == pytest.approx(1 / 0.6)
    assert sharpening([{1: 0.0}], [{1: 0.0}]) is None


def test_a_threshold_is_never_within_noise():
    noise = Variation(name="bf16", faithful=True, divergence=1e-2, excess=1e-2, divergence_q99=2e-2, excess_q99=2e-2)
    harm = noise.model_copy(update={"name": "4 bits", "faithful": False})
    limits = thresholds([noise, harm], lambda one: (one.divergence, one.divergence_q99))
    assert limits.warn == 5e-2
    assert limits.fail == 1e-1
    assert thresholds([], lambda one: (one.divergence, one.divergence_q99)).measured is False


def test_the_number_of_harmless_partings_keeps_its_error():
    most = most_harmless(60)
    beyond = sum(math.comb(60, n) * 0.08**n * 0.92 ** (60 - n) for n in range(most + 1, 61))
    assert beyond <= 0.03 < beyond + math.comb(60, most) * 0.08**most * 0.92 ** (60 - most)


ANSWER = GoldenAnswer(
    prompt="?",
    prompt_ids=(9,),
    ids=(1, 2, 3),
    best=({1: -0.1, 4: -3.0}, {2: -0.7, 5: -0.8, 6: -4.0}, {3: -0.01, 1: -6.0}),
)
TEXTS = {1: "one ", 2: "two ", 3: "", 4: "four ", 5: "twelve", 6: "t"}
KNOWN = GoldenAnswers(
    deployment="d", model="m", engine="e", sampled=(), greedy=(ANSWER,), texts=TEXTS, plain="", papergate="1"
)


@pytest.mark.parametrize(
    ("spoken", "gap"),
    [
        (Spoken(text="", ids=(1, 2, 3)), None),
        (Spoken(text="", ids=(1, 2)), None),  # a server that does not name the end
        (Spoken(text="", ids=(1, 5, 3)), 0.1),
        (Spoken(text="", ids=(1, 7)), 8.0),
        (Spoken(text="one two"), None),
        (Spoken(text="<think>one two"), None),
        (Spoken(text="one twelve"), 0.1),  # both "t" and "twelve" would do: the likelier
        (Spoken(text="one three"), 3.3),
        (Spoken(text="seven"), 8.0),
    ],
)
def test_the_gap_where_two_greedy_answers_part(spoken, gap):
    assert parting(ANSWER, spoken, KNOWN) == (pytest.approx(gap) if gap is not None else None)
