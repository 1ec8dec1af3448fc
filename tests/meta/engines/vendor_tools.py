"""What vendors' tools print, written for these tests in the forms that the tools use, and programs that print it."""

import textwrap


def program(folder, name, *answers):
    """A program of that name which prints, for the first of ``answers`` whose words are among its arguments, its text.

    An answer is (words, text) or (words, text, exit status); no words fit any arguments.
    """
    lines = ["#!/bin/sh"]
    for number, (words, text, *status) in enumerate(answers):
        (folder / f"{name}.{number}").write_text(textwrap.dedent(text).lstrip("\n"))
        prints = f'cat "{folder / f"{name}.{number}"}"; exit {status[0] if status else 0}'
        lines.append(f'case "$*" in *"{words}"*) {prints};; esac')
    (folder / name).write_text("\n".join([*lines, "exit 3", ""]))
    (folder / name).chmod(0o755)


A100 = "NVIDIA A100-SXM4-80GB"
CSV_HEAD = (
    "name, memory.total [MiB], driver_version, pci.bus_id, mig.mode.current, power.limit [W], ecc.mode.current, "
    "vbios_version\n"
)


def csv_of(*rows):
    """``--query-gpu`` in CSV: name, memory, MIG mode for each device."""
    lines = (
        f"{name}, {memory}, 550.54.15, 00000000:0{number}:00.0, {mig}, 400.00 W, Enabled, 92.00.A0.00.01"
        for number, (name, memory, mig) in enumerate(rows)
    )
    return CSV_HEAD + "\n".join(lines) + "\n"


NVIDIA_TABLE = """
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|                                         |                        |               MIG M. |
|=========================================+========================+======================|
|   0  NVIDIA A100 80GB PCIe          On  |   00000000:31:00.0 Off |                    0 |
| N/A   31C    P0             55W /  300W |       1MiB /  81920MiB |      0%      Default |
|                                         |                        |             Disabled |
+-----------------------------------------+------------------------+----------------------+
|   1  NVIDIA A100 80GB PCIe          On  |   00000000:4B:00.0 Off |                   On |
| N/A   33C    P0             52W /  300W |       1MiB /  81920MiB |     N/A      Default |
|                                         |                        |              Enabled |
+-----------------------------------------+------------------------+----------------------+
|   2  NVIDIA A100 80GB PCIe          On  |   00000000:98:00.0 Off |                 ERR! |
|ERR!  ERR!  ERR!            ERR! /  ERR! |       1MiB /  81920MiB |    ERR!      Default |
|                                         |                        |                 ERR! |
+-----------------------------------------+------------------------+----------------------+
| Processes:                                                                              |
|  GPU   GI   CI        PID   Type   Process name                              GPU Memory |
|    0   N/A  N/A      4242      C   python Enabled                              70000MiB |
+-----------------------------------------------------------------------------------------+
"""


def npu_smi(*chips, version="24.1.rc2", phy=False):
    """``npu-smi info``: (number, name, health, total HBM) for each chip, and a table of processes."""
    rule = "+===========================+===============+====================================================+"
    lines = [
        "+------------------------------------------------------------------------------------------------+",
        f"| npu-smi {version:<24} Version: {version:<53}|",
        "+---------------------------+---------------+----------------------------------------------------+",
        "| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|",
        f"| Chip  {'Phy-ID' if phy else '':<20}| Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |",
        rule,
    ]
    for number, name, health, memory in chips:
        second = f"0     {number}" if phy else "0"
        lines += [
            f"| {number:<6}{name:<20}| {health:<14}| 93.1        44                0    / 0             |",
            f"| {second:<26}| 0000:{number:02X}:00.0  | 3           0    / 0          61234/ {memory:<14}|",
            rule,
        ]
    return "\n".join([*lines, *NPU_PROCESSES]) + "\n"


NPU_PROCESSES = (
    "+---------------------------+---------------+----------------------------------------------------+",
    "| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |",
    "+===========================+===============+====================================================+",
    "| 0       0                 | 7001          | python                   | 58000                   |",
    "| 1       0                 | OK            | 910B3                    | 58000                   |",
    "| 1       0                 | 7002          | python                   | 58000                   |",
    "+===========================+===============+====================================================+",
)

NPU_950 = """
+--------+------------------+---------------+-----------------------------------------------------+
| NPU ID | Name             | Health        | Power(W)    Temp(C)           Hugepages-Usage(page) |
|        |                  | Bus-Id        | NPU Util(%) Memory-Usage(MB)  HBM-Usage(MB)         |
+========+==================+===============+=====================================================+
| 0      | Ascend950PR      | OK            | 201.5       51                0     / 0             |
|        |                  | 0000:41:00.0  | 0           0    / 0          4100  / 131072        |
+========+==================+===============+=====================================================+
"""

NPU_MAP = """
\tNPU ID                         Chip ID                        Chip Logic ID                  Chip Name
\t2                              0                              0                              Ascend 910B4
\t2                              1                              -                              Mcu
\t7                              0                              1                              Ascend 910B4
\t7                              1                              -                              Mcu
"""

MX_HEAD = """
mx-smi  version: 2.2.7
+---------------------------------------------------------------------------------+
| MX-SMI 2.2.7                        Kernel Mode Driver Version: 2.17.1          |
| MACA Version: 3.0.1.2               BIOS Version: 1.27.0.0                      |
"""
MX_OLD = (
    MX_HEAD
    + """|------------------------------------+---------------------+----------------------+
| GPU         NAME                   | Bus-id              | GPU-Util             |
| Temp        Pwr:Usage/Cap          | Memory-Usage        | GPU-State            |
|====================================+=====================+======================|
| 0           MXC500                 | 0000:11:00.0        | 0%                   |
| 40C         70W / 350W             | 900/65536 MiB       | Available            |
+------------------------------------+---------------------+----------------------+
| 1           MXC500                 | 0000:12:00.0        | 0%                   |
| 40C         70W / 350W             | 900/65536 MiB       | Not Available        |
+------------------------------------+---------------------+----------------------+
| Process:                                                                        |
|  0                   5151         python                       900             |
"""
)
MX_SHARED = (
    MX_HEAD
    + """|------------------+-----------------+---------------------+----------------------|
| Board       Name | GPU   Persist-M | Bus-id              | GPU-Util      sGPU-M |
| Pwr:Usage/Cap    | Temp       Perf | Memory-Usage        | GPU-State            |
|==================+=================+=====================+======================|
| 0     MetaX C550 | 0           Off | 0000:21:00.0        | 0%          Disabled |
| 57W / 450W       | 35C          P0 | 826/65536 MiB       | Available            |
+------------------+-----------------+---------------------+----------------------+
| 1     MetaX C550 | 1           Off | 0000:22:00.0        | 0%           Enabled |
| 57W / 450W       | 35C          P0 | 826/65536 MiB       | Available            |
+------------------+-----------------+---------------------+----------------------+
"""
)


def mx_list(*states, model="MXC500"):
    """``mx-smi -L``."""
    lines = (
        f"GPU#{number}    {model}      0000:1{number}:00.0   {state}{UUID if state == 'Available' else ''}"
        for number, state in enumerate(states)
    )
    return "mx-smi  version: 2.3.0\n" + "\n".join(lines) + "\n"


UUID = " (UUID: GPU-12345678-0000-0000-0000-000000000000)"


def vasmi(count, *, memory="", dies=1):
    """A guess at ``vasmi summary``: a headline that names the model, then a numbered line for each card or die."""
    lines = (
        f"| {number // dies:<4}| {number % dies:<4}| VA16   | 0000:{number // dies:02x}:00.0 | {memory:<8} |"
        for number in range(count)
    )
    return "Vastai VA16 summary\n| card| die | model | bus | memory |\n" + "\n".join(lines) + "\n"


HL_SMI = """
+-----------------------------------------------------------------------------+
| HL-SMI Version:                              hl-1.17.1-fw-51.3.0.0          |
| Driver Version:                                     1.17.1-78932ae          |
|-------------------------------+----------------------+----------------------+
| AIP  Name        Persistence-M| Bus-Id        Disp.A | Volatile Uncorr. ECC |
| Fan  Temp  Perf  Pwr:Usage/Cap|         Memory-Usage | AIP-Util  Compute M. |
|===============================+======================+======================|
|   0  HL-225              N/A  | 0000:4d:00.0     N/A |                   0  |
| N/A   25C   N/A   101W / 600W |    768MiB / 98304MiB |     0%           N/A |
|-------------------------------+----------------------+----------------------+
|   1  HL-225              N/A  | 0000:4e:00.0     N/A |                   0  |
| N/A   25C   N/A    98W / 600W |    768MiB / 98304MiB |     0%           N/A |
|-------------------------------+----------------------+----------------------+
| Compute Processes:                                               AIP Memory |
|  AIP       PID   Type   Process name                             Usage      |
"""

ROCM_JSON = """
WARNING: AMD GPU device(s) is/are in a low-power state. Check power control/runtime_status

{"card0": {"VRAM Total Memory (B)": "206141652992", "VRAM Total Used Memory (B)": "297000960",
 "Card Series": "AMD Instinct MI300X", "Card Model": "0x74a1", "GFX Version": "gfx942"},
 "card1": {"VRAM Total Memory (B)": "206141652992", "Card Series": "AMD Instinct MI300X"},
 "system": {"Driver version": "6.8.5"}}
"""
ROCM_LINES = """
============================ ROCm System Management Interface ============================
GPU[0]\t\t: VRAM Total Memory (B): 68702699520
GPU[0]\t\t: Card series: \t\tAMD INSTINCT MI250 (MCM) OAM AC MBA
GPU[1]\t\t: VRAM Total Memory (B): 68702699520
GPU[1]\t\t: Card series: \t\tAMD INSTINCT MI250 (MCM) OAM AC MBA
"""
AMD_STATIC = """
{"gpu_data": [{"gpu": 0, "asic": {"market_name": "AMD Instinct MI325X"}, "driver": {"version": "6.12.12"},
 "vram": {"type": "HBM3E", "size": {"value": 262128, "unit": "MB"}}}]}
"""

AMD_TEXT = "".join(
    f"GPU: {number}\n    ASIC:\n        MARKET_NAME: AMD Instinct MI300A\n        VENDOR_ID: 0x1002\n"
    "    VRAM:\n        TYPE: HBM\n        SIZE: 131072 MB\n    DRIVER:\n        VERSION: 6.8.5\n"
    for number in range(2)
)

XPU_LIST = """
{"device_list": [
 {"device_id": 0, "device_name": "Intel(R) Data Center GPU Max 1550", "pci_bdf_address": "0000:29:00.0"},
 {"device_id": 1, "device_name": "Intel(R) Data Center GPU Max 1550", "pci_bdf_address": "0000:9a:00.0"}]}
"""
XPU_DEVICE = """
{"device_id": 0, "device_name": "Intel(R) Data Center GPU Max 1550", "driver_version": "1.3.30049",
 "memory_physical_size_byte": "137438953472"}
"""
XPU_TABLE = """
+-----------+--------------------------------------------------------------------------------------+
| Device ID | Device Information                                                                   |
+-----------+--------------------------------------------------------------------------------------+
| 0         | Device Name: Intel(R) Arc(TM) Pro B60 Graphics                                       |
|           | Vendor Name: Intel(R) Corporation                                                    |
|           | PCI BDF Address: 0000:03:00.0                                                        |
+-----------+--------------------------------------------------------------------------------------+
| 1         | Device Name: Intel(R) Arc(TM) Pro B60 Graphics                                       |
|           | PCI BDF Address: 0000:08:00.0                                                        |
+-----------+--------------------------------------------------------------------------------------+
"""
