"""What vendors' tools print is read, whatever their version, and what only looks like a demanded device is refused."""

import os
import re
import stat

import pytest

from papergate.engines.hardware import demand, differences, environment, look
from papergate.engines.hardware.demand import is_named, shortfall
from papergate.engines.hardware.tools import ask
from papergate.errors import HardwareError
from papergate.promises import read_targets
from papergate.promises.records import Hardware
from tests.meta.engines import vendor_tools as tools
from tests.meta.shared import SHARED, shared

TARGETS = {name: target.hardware for name, (_, target) in read_targets().items()}


@pytest.fixture(autouse=True)
def no_devices(tmp_path, monkeypatch):
    """A machine whose /dev and whose PATH hold nothing but what a test puts there, and a shell."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("sh", "cat", "sleep"):
        found = next(f"{folder}/{name}" for folder in ("/bin", "/usr/bin") if os.path.exists(f"{folder}/{name}"))  # noqa: PTH110
        (tmp_path / "bin" / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("papergate.engines.hardware.machine.DEVICES", tmp_path / "dev")


@pytest.fixture
def says(tmp_path):
    """Put a program on PATH that prints the given answers."""
    return lambda name, *answers: tools.program(tmp_path / "bin", name, *answers)


def listed(probe):
    return [(device.name, device.memory_mib, bool(device.unusable)) for device in look(probe).devices]


class TestNvidia:
    def test_a_whole_card_is_told_from_what_bears_its_name(self, says):
        rows = [
            (tools.A100, "81920 MiB", "Disabled"),
            ("NVIDIA A100-PCIE-40GB", "40960 MiB", "Disabled"),
            ("GRID A100D-20C", "20480 MiB", "[N/A]"),
            (tools.A100, "81920 MiB", "Enabled"),
            ("NVIDIA RTX A1000", "8188 MiB", "[N/A]"),
            ("NVIDIA A800-SXM4-80GB", "81920 MiB", "Disabled"),
            (tools.A100, "[Insufficient Permissions]", "[N/A]"),
            (tools.A100, "[GPU is lost]", "[GPU is lost]"),
            (tools.A100, "81920 MiB", "[GPU requires reset]"),
        ]
        listing = "GPU 3: NVIDIA A100-SXM4-80GB (UUID: GPU-1)\n  MIG 7g.80gb     Device  0: (UUID: MIG-1)\n"
        says("nvidia-smi", ("query-gpu", tools.csv_of(*rows)), ("-L", listing), ("", tools.NVIDIA_TABLE))
        found = look("nvidia")
        assert len(found.devices) == len(rows) + 1
        assert ": 1 of 2 needed (A100 with 80 GiB)" in shortfall(
            TARGETS["a100"].model_copy(update={"devices": 2}), found
        )
        demand(TARGETS["a100"], name="a100")

    def test_what_a_run_records(self, says):
        rows = [(tools.A100, "81920 MiB", "Disabled")] * 2
        says("nvidia-smi", ("query-gpu", tools.csv_of(*rows)), ("", tools.NVIDIA_TABLE))
        assert environment() == {
            "hardware": "2 x NVIDIA A100-SXM4-80GB (81920 MiB)",
            "driver": "550.54.15",
            "firmware": "92.00.A0.00.01",
            "toolkit": "CUDA 12.4",
            "power limit": "400.00 W",
            "ECC": "Enabled",
        }

    def test_units_may_stand_in_the_header_alone(self, says):
        says(
            "nvidia-smi", ("query", "name, memory.total [MiB], power.limit [W]\nNVIDIA H20, 97871, 500.00\n"), ("", "")
        )
        assert [(each.memory_mib, each.power_limit) for each in look("nvidia").devices] == [(97871, "500.00 W")]

    def test_an_old_driver_that_does_not_know_a_field_is_asked_for_less(self, says):
        unknown = 'Field "mig.mode.current" is not a valid field to query.\n'
        basic = "name, memory.total [MiB], driver_version, pci.bus_id\nTesla V100-SXM2-32GB, 32510 MiB, 418.87, 0:1\n"
        says("nvidia-smi", ("mig.mode", unknown, 2), ("query-gpu", basic), ("", "nothing"))
        assert listed("nvidia") == [("Tesla V100-SXM2-32GB", 32510, False)]

    def test_the_table_alone_is_read(self, says):
        says("nvidia-smi", ("", tools.NVIDIA_TABLE))
        assert listed("nvidia") == [
            ("NVIDIA A100 80GB PCIe", 81920, False),
            ("NVIDIA A100 80GB PCIe", 81920, True),
            ("NVIDIA A100 80GB PCIe", 81920, True),
        ]
        assert look("nvidia").driver == "550.54.15"

    def test_slices_count_only_where_no_device_is_named(self, says):
        listing = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-1)\n  MIG 1g.10gb     Device  0: (UUID: MIG-1)\n"
        rows = [(tools.A100, "81920 MiB", "Enabled")]
        says("nvidia-smi", ("query-gpu", tools.csv_of(*rows)), ("-L", listing), ("", tools.NVIDIA_TABLE))
        assert "0 of 1 needed" in shortfall(TARGETS["a100"], look("nvidia"))
        assert not shortfall(TARGETS["openr1"], look("nvidia"))

    def test_no_device_is_an_answer_and_a_failure_is_none(self, says):
        says("nvidia-smi", ("", "No devices were found\n", 6))
        assert look("nvidia").in_words() == "nvidia-smi lists no device"

    def test_a_failure_is_quoted(self, says):
        words = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
        says("nvidia-smi", ("", words, 9))
        said = r"could not tell what is here: nvidia-smi ended with status 9 and said: NVIDIA-SMI has failed"
        with pytest.raises(HardwareError, match=said):
            demand(TARGETS["openr1"], name="openr1")


class TestAscend:
    def test_a_node_of_the_document_is_admitted(self, says):
        says("npu-smi", ("board", "\tFirmware Version               : 7.3.0.1.231\n"), ("", tools.npu_smi(*A2)))
        demand(TARGETS["ascend"], name="ascend")
        assert look("ascend").environment() == {
            "hardware": "8 x 910B4 (65536 MiB)",
            "driver": "24.1.rc2",
            "firmware": "7.3.0.1.231",
        }

    @pytest.mark.parametrize("name", ["910B1", "910B2", "910B2C", "910B3", "910B4"])
    def test_every_chip_of_the_generation_counts(self, says, name):
        says("npu-smi", ("", tools.npu_smi(*((number, name, "OK", 65536) for number in range(8)))))
        demand(TARGETS["ascend"], name="ascend")

    @pytest.mark.parametrize(
        "chips",
        [
            pytest.param([(0, "910A", "OK", 32768)] * 8, id="first generation"),
            pytest.param([(0, "310P3", "OK", 65536)] * 8, id="inference card"),
            pytest.param([(0, "Ascend910", "OK", 65536)] * 16, id="A3"),
            pytest.param([(0, "910B4", "OK", 32768)] * 8, id="32 GB board"),
            pytest.param([(0, "910B4", "OK", 65536)] * 7 + [(7, "910B4", "Alarm", 65536)], id="one ill"),
            pytest.param([(0, "910B4", "OK", 65536)] * 7, id="seven"),
        ],
    )
    def test_other_hardware_is_refused_with_what_was_seen(self, says, chips):
        says("npu-smi", ("", tools.npu_smi(*chips)))
        with pytest.raises(HardwareError, match=r"npu-smi lists .* x .*: [07] of 8 needed"):
            demand(TARGETS["ascend"], name="ascend")

    def test_a_chip_with_a_warning_counts_and_the_record_says_so(self, says):
        says("npu-smi", ("", tools.npu_smi(*A2[:7], (7, "910B4", "Warning", 65536))))
        demand(TARGETS["ascend"], name="ascend")
        assert look("ascend").environment()["hardware warnings"] == "1 x health Warning"

    @pytest.mark.parametrize(
        ("text", "chips"),
        [
            (tools.npu_smi((4, "Ascend910", "OK", 65536), (4, "Ascend910", "OK", 65536), phy=True), 2),
            (tools.NPU_950, 1),
            (tools.NPU_MAP, 2),
        ],
        ids=["A3", "950", "map"],
    )
    def test_each_layout_is_read(self, says, text, chips):
        says("npu-smi", ("", text))
        assert len(look("ascend").devices) == chips

    def test_a_user_without_rights_learns_what_to_do(self, says):
        says("npu-smi", ("", "dcmi module initialize failed. ret is -8005\n", 1))
        assert re.search(r"could not tell .* -8005; run it as root", look("ascend").in_words())

    def test_a_container_without_the_tool_is_told_from_a_machine_without_devices(self, tmp_path):
        assert look("ascend").in_words() == "npu-smi is not installed here"
        (tmp_path / "dev" / "davinci3").touch()
        assert re.search(r"could not tell .*/davinci3 is here, but npu-smi is not on PATH", look("ascend").in_words())

    def test_a_table_of_a_later_version_could_not_be_told(self, says):
        says("npu-smi", ("", "+---+\n| npu-smi 99.0 |\n| device 0: Ascend990, fine |\n"))
        said = r"could not tell .*: npu-smi info printed nothing that papergate can read: \| npu-smi 99.0"
        assert re.search(said, look("ascend").in_words())


A2 = [(number, "910B4", "OK", 65536) for number in range(8)]


class TestMetax:
    def test_both_cards_of_the_document_are_admitted(self, says):
        for model in ("MXC500", "MXC550"):
            says("mx-smi", ("", tools.mx_list(*["Available"] * 8, model=model)))
            demand(TARGETS["metax"], name="metax")

    def test_a_card_that_is_not_available_does_not_count(self, says):
        says("mx-smi", ("-L", tools.mx_list(*["Available"] * 7, "Not Available(Sysfs)")), ("", "nothing"))
        with pytest.raises(HardwareError, match=r"Not Available\(Sysfs\)\): 7 of 8 needed"):
            demand(TARGETS["metax"], name="metax")

    def test_the_table_says_what_the_list_does_not(self, says):
        says("mx-smi", ("-L", tools.mx_list()), ("", tools.MX_OLD))
        assert listed("metax") == [("MetaX C500", 65536, False), ("MetaX C500", 65536, True)]
        first = "GPU#0    MXC500      0000:11:00.0   Not Available(Sysfs)\n"
        says("mx-smi", ("-L", first), ("", tools.MX_OLD))
        assert [device.in_words() for device in look("metax").devices] == ["MetaX C500 (Not Available(Sysfs))"]
        assert look("metax").devices[0].power_limit == "350 W"
        assert look("metax").environment()["toolkit"] == "MACA 3.0.1.2"

    def test_a_card_that_is_shared_does_not_count(self, says):
        says("mx-smi", ("-L", ""), ("", tools.MX_SHARED))
        assert listed("metax") == [("MetaX C550", 65536, False), ("MetaX C550", 65536, True)]

    @pytest.mark.parametrize("model", ["MXC600-AL", "MXN260"])
    def test_other_cards_are_refused(self, says, model):
        says("mx-smi", ("", tools.mx_list(*["Available"] * 8, model=model)))
        with pytest.raises(HardwareError, match=": 0 of 8 needed"):
            demand(TARGETS["metax"], name="metax")


class TestVastai:
    @pytest.mark.parametrize(
        ("text", "enough"),
        [
            pytest.param(tools.vasmi(8), True, id="cards"),
            pytest.param(tools.vasmi(32, dies=4), True, id="dies"),
            pytest.param(tools.vasmi(8, memory="128 GB"), True, id="cards with memory"),
            pytest.param(tools.vasmi(8, memory="32 GB", dies=4), False, id="the dies of two cards"),
            pytest.param(tools.vasmi(7), False, id="seven cards"),
            pytest.param(tools.vasmi(8).replace("VA16 ", "VA1 "), False, id="another card"),
        ],
    )
    def test_cards_and_dies(self, says, text, enough):
        says("vasmi", ("summary", text), ("", "{}"))
        assert (not shortfall(TARGETS["vastai"], look("vastai"))) is enough

    def test_memory_comes_from_json(self, says):
        memory = '{"elem": [{"pci_bus": "0000:00:00.0", "sn": "1", "vals": {"Physical": {"value": "128 GB"}}}]}'
        says("vasmi", ("getmem", memory), ("", tools.vasmi(1)))
        assert listed("vastai") == [("VA16", 131072, False)]


class TestOthers:
    @pytest.mark.parametrize(
        ("probe", "name", "text", "devices"),
        [
            ("rocm", "rocm-smi", tools.ROCM_JSON, [("AMD Instinct MI300X", 196592, False)] * 2),
            ("rocm", "rocm-smi", tools.ROCM_LINES, [("AMD INSTINCT MI250 (MCM) OAM AC MBA", 65520, False)] * 2),
            ("rocm", "amd-smi", tools.AMD_STATIC, [("AMD Instinct MI325X", 262128, False)]),
            ("rocm", "amd-smi", tools.AMD_TEXT, [("AMD Instinct MI300A", 131072, False)] * 2),
            ("gaudi", "hl-smi", tools.HL_SMI, [("HL-225", 98304, False)] * 2),
            ("xpu", "xpu-smi", tools.XPU_TABLE, [("Intel(R) Arc(TM) Pro B60 Graphics", None, False)] * 2),
        ],
    )
    def test_the_generic_tools(self, says, probe, name, text, devices):
        says(name, ("", text))
        assert listed(probe) == devices

    def test_xpu_smi_is_asked_about_each_device(self, says):
        says("xpu-smi", ("-d", tools.XPU_DEVICE), ("", tools.XPU_LIST))
        assert listed("xpu") == [("Intel(R) Data Center GPU Max 1550", 131072, False)] * 2
        assert look("xpu").driver == "1.3.30049"


def test_a_tool_that_hangs_is_given_up(tmp_path):
    program = tmp_path / "bin" / "hangs"
    program.write_text("#!/bin/sh\nsleep 600\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    answer = ask("hangs", timeout_s=0.5)
    assert answer.hung
    assert answer.problem == "hangs did not answer within 0.5 s: its driver may hang"


@pytest.mark.parametrize("probe", ["nvidia", "ascend", "metax", "vastai", "rocm", "gaudi", "xpu"])
def test_a_program_that_cannot_be_run_could_not_be_told(tmp_path, probe):
    names = {"nvidia": "nvidia-smi", "ascend": "npu-smi", "metax": "mx-smi", "vastai": "vasmi"}
    name = names.get(probe) or {"rocm": "rocm-smi", "gaudi": "hl-smi", "xpu": "xpu-smi"}[probe]
    (tmp_path / "bin" / name).write_text("no program")
    (tmp_path / "bin" / name).chmod(0o755)
    assert re.search(r"could not tell what is here: .*Exec format error", look(probe).in_words())
    assert look(probe).devices == ()


@pytest.mark.parametrize(
    ("device", "name", "same"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100", True),
        ("A100-SXM4-80GB", "A100", True),
        ("GRID A100DX-80C", "A100", True),
        ("NVIDIA RTX A1000", "A100", False),
        ("NVIDIA GH200 480GB", "H200", False),
        ("NVIDIA H200", "H20", False),
        ("NVIDIA H20", "H20", True),
        ("910B2C", "910B", True),
        ("910A", "910B", False),
        ("VA16", "VA1", False),
    ],
)
def test_a_name_is_whole_words_and_numbers(device, name, same):
    assert is_named(device, name) is same


def test_versions_that_differ_are_a_note_or_a_refusal_as_the_target_says(says):
    says("nvidia-smi", ("query-gpu", tools.csv_of((tools.A100, "81920 MiB", "Disabled"))), ("", tools.NVIDIA_TABLE))
    stated = {"probe": "nvidia", "device": "A100", "title": "an A100", "driver": "535.1", "toolkit": "CUDA 12.4"}
    demand(Hardware(**stated), name="mine")
    demand(Hardware(**stated | {"driver": "550.54.15"}, versions="refuse"), name="mine")
    [one] = differences(Hardware(**stated), environment())
    assert (one.name, one.seen, one.stated) == ("driver", "550.54.15", "535.1")
    with pytest.raises(HardwareError, match=r"the driver is 550\.54\.15, not 535\.1"):
        demand(Hardware(**stated, versions="refuse"), name="mine")


# -- recordings of the real tools, read in place -----------------------------------------------------------------------

RECORDED = sorted((SHARED / "reference" / "probes").glob("*")) if SHARED.is_dir() else []
PROGRAMS = {"ascend": "npu-smi", "metax": "mx-smi", "nvidia": "nvidia-smi", "vastai": "vasmi"}
COUNTS = {
    "ascend-npu-smi-error-8005": 0,
    "ascend-npu-smi-info-23.0.7-8x910B3-idle": 8,
    "ascend-npu-smi-info-24.1.0-16x910B2C-idle": 16,
    "ascend-npu-smi-info-24.1.rc3.7-A3-8x2-chips": 16,
    "ascend-npu-smi-info-24.1.rc3-2x910B4-container-ids-3-6": 2,
    "ascend-npu-smi-info-25.0.rc1.2-2x910B2C-processes": 2,
    "ascend-npu-smi-info-25.5.1-910B3-ids-0-5-process": 2,
    "ascend-npu-smi-info-23.0.rc3-310P3": 2,
    "ascend-npu-smi-info-25.7-950PR": 1,
    "ascend-npu-smi-info-m-910B3": 8,
    "ascend-npu-smi-info-m-A3": 16,
    "metax-mx-smi-2.1.6-8xMXC550-idle": 8,
    "metax-mx-smi-2.1.12-1xC550-in-pod": 1,
    "metax-mx-smi-2.2.6-1xC500": 1,
    "metax-mx-smi-2.2.9-8xC500-board-gpu": 8,
    "metax-mx-smi-L-2.3.1-not-available": 1,
    "nvidia-L-mig-A100-SXM4-80GB": 1,
    "nvidia-query-index-name-memory-driver-2xA100": 2,
    "nvidia-error-no-driver": 0,
    "nvidia-smi-550-H20": 1,
}
"""Whole devices that work, of each recording."""
ADMITTED = {
    "ascend-npu-smi-info-23.0.7-8x910B3-idle",
    "ascend-npu-smi-info-24.1.0-16x910B2C-idle",
    "metax-mx-smi-2.1.6-8xMXC550-idle",
    "metax-mx-smi-2.2.4-8xC550-idle",
    "metax-mx-smi-2.2.9-8xC500-board-gpu",
    "nvidia-L-mig-A100-SXM4-80GB",
    "nvidia-query-index-name-memory-driver-2xA100",
}
"""Recordings of a machine that one of the targets ascend, metax, a100, vastai demands."""


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recording_of_the_real_tool_is_read_and_admitted_only_where_it_is_the_documents_machine(says, path):
    shared("reference/probes")
    text = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("# "))
    probe = path.name.split("-")[0]
    says(PROGRAMS[probe], ("", text))
    found = look(probe)
    whole = [device for device in found.devices if not device.unusable and not device.is_slice]
    assert len(whole) == COUNTS.get(path.stem, len(whole))
    assert found.devices or found.problem
    target = {"nvidia": "a100"}.get(probe, probe)
    assert (not shortfall(TARGETS[target], found)) is (path.stem in ADMITTED)
