"""``papergate doctor`` says what is here, and which targets it is enough for."""

from papergate.cli import main
from papergate.promises import TARGETS
from tests.meta.engines import vendor_tools as tools


def test_doctor_prints_devices_versions_engines_and_targets(tmp_path, monkeypatch, capsys):
    tools.program(tmp_path, "nvidia-smi", ("query-gpu", tools.csv_of((tools.A100, "81920 MiB", "Disabled"))), ("", ""))
    tools.program(tmp_path, "mx-smi", ("", "driver not loaded", 4))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PAPERGATE_VLLM_PYTHON", "/nowhere/python")
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "nvidia-smi lists 1 x NVIDIA A100-SXM4-80GB (81920 MiB)" in printed
    assert "power limit: 400.00 W" in printed
    assert "sglang" in printed
    lines = {line.split()[0]: line for line in printed.partition("targets\n")[2].splitlines()}
    assert set(lines) == {path.stem for path in TARGETS.glob("*.toml")}
    assert lines["a100"].endswith("can be tested here")
    assert "demands eight MetaX C500" in lines["metax"]
    assert "could not tell what is here: mx-smi -L ended with status 4 and said: driver not loaded" in lines["metax"]
    assert "/nowhere/python is no interpreter" in lines["openr1"]
