"""Chinese sentences for what a user gives that cannot be: options, files, and runs to be joined or bundled."""

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, Any]

_SHARD = "请写 I/N，I 从 0 到 N-1，例如 0/8；在 Slurm 数组中写 auto；在 Kubernetes Indexed Job 中写 auto/N"


def _close(values: Values) -> str:
    return f"；是否指 {values['close']}？" if values["close"] else ""


def _run_no_folder(values: Values) -> str:
    kind = "特殊文件" if values["special"] else "文件"
    return f"--run {values['given']}：{values['place']} 是{kind}；请给出一次运行的目录，或新目录的名称"


def _log_of_no_promise(values: Values) -> str:
    how = "若要判定：按目标所写的名称给出 --model NAME，或给出 --data BENCHMARK=FILE，或自己的 --targets DIR。"
    if values["benchmarks"]:
        how = (
            "该模型有承诺，但这些编号不属于其任何数据集。请给出提问所用的文件：--data BENCHMARK=FILE，"
            f"BENCHMARK 为 {'、'.join(values['benchmarks'])} 之一。"
        )
    return (
        f"{values['log']}：其中的 {values['problems']} 道题（编号如 {values['first']}，模型 {values['model']!r}）"
        f"不属于任何选中的承诺。\n  {how}\n"
        "  若只评分而不涉及承诺：写成 {gold, response} 的各行，再运行 papergate grade FILE -o OUT"
    )


def _deployment_unknown(values: Values) -> str:
    accepted = "地址、文件或部署" if values["option"] == "--baseline" else "部署"
    engines, known = " 或 ".join(values["engines"]), "".join(f"\n  {each}" for each in values["known"])
    return (
        f"{values['option']} {values['name']}：可以是{accepted}，部署的引擎须为 {engines}{_close(values)}；"
        f"已知的有：{known}"
    )


def _shard_unset(values: Values) -> str:
    seen = "、".join(f"{name}={value}" for name, value in values["given"].items()) or "都没有设置"
    return f"--shard {values['shard']} 读取 {' 或 '.join(values['names'])}：{seen}；{_SHARD}"


def _merge_outside_fleet(values: Values) -> str:
    named = f"写明的是 {values['named']}" if values["named"] else "没有提到它"
    return (
        f"{values['folder']}：{values['promise']} 按协议 {'、'.join(values['asked'])} 提问，而矩阵文件{named}。"
        "请去掉这次运行，或修改该文件"
    )


def _merge_missing(values: Values) -> str:
    more = f" 等，另有 {values['more']} 个" if values["more"] else ""
    return f"{values['count']} 个分片中缺少：{'、'.join(map(str, values['named']))}{more}"


def _merge_of_another_plan(values: Values) -> str:
    (shards, look), (other_shards, other_look) = values["plan"], values["others"]
    return (
        f"{values['folder']} 与 {values['first']} 的计划不同（{'、'.join(values['apart'])}）：前者 {shards} 个分片，"
        f"到 {look} 个样本；后者 {other_shards} 个分片，到 {other_look} 个样本"
    )


SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    # options
    "option_not_above_zero": "{option} {number}：请给出大于 0 的数",
    "option_not_counting": "{option} {number}：请给出至少为 1 的整数",
    "option_above_most": "{option} {number}：请给出至多 {most}",
    "option_unshown": "{option} {value!r}：其中有不是 UTF-8 的字节或不是文字的字符；请改名",
    "ca_file_missing": "--ca-file {file}：没有这个文件；请给出 PEM 格式的 CA 证书",
    "asks_and_reads": "{option} 向服务提问，--predictions 读取文件：只能给出其中之一",
    "trial_and_predictions": "--trial 试用服务或引擎，--predictions 读取文件：只能给出其中之一",
    "golden_no_folder": "--golden {golden}：没有这个目录；请给出一次已保存的运行的目录",
    "samples_and_most": "--samples 固定了样本数，而 --max-samples 只限定其上限：只能给出其中之一",
    "letter_without_vendor": "--letter 按文档所用工具的方式发送，这属于 --protocol vendor：两者都要给出",
    "holm_of_vendor": "--holm 调整错误率；而在 --protocol vendor 下只由字面规则判定",
    "budget_of_one_look": "预算在各检查点之间核对，而 {option} 只有一个检查点：只能给出其中之一",
    "shard_without_plan": "--shard 只问一部分：样本数须固定，或由协调进程决定检查点；请给出 --samples K 或 "
    "--coordinate DIR",
    "shard_with_judging": "--shard 不作判定：请把 {option} 给 papergate merge 或协调进程，或去掉它",
    "coordinating_without_folder": "{option} 用于协调运行的分片：请给出 --coordinate DIR",
    "coordinate_alone": "--coordinate DIR：请用 --shard I/N 在那里提问一部分，或用 --shards N 判定他人所问的 N 个部分",
    "coordinate_with_asking": "--coordinate 判定各分片所问的内容：请去掉 {option}",
    "gain_with_other_reference": "--gain-over 在本次会话中完整测试基础模型，并以它为参照：请去掉 {option}",
    "data_unnamed": "--data {entry}：请写成 BENCHMARK=FILE，例如 --data math500=/data/math_500.jsonl",
    "base_is_model": "--gain-over {model}：这就是被测的模型；请给出它的基础模型",
    "base_of_same_revision": "--gain-over {base}：服务称 {base} 与 {checkpoint} 权重相同（{revision}）；请给出被测"
    "模型的基础模型",
    "base_of_same_weights": "--gain-over {base}：其权重与被测模型 {checkpoint} 相同（sha256 {digest}）；请给出它的"
    "基础模型",
    "starts_and_attaches": "--deployment 启动服务，--endpoint 连接已有的服务：只能给出其中之一",
    "restarts_too_few": "--restarts {restarts}：每一方至少启动 {fewest} 次",
    "baseline_alone": "--baseline NAME 轮流重新启动双方：请指明另一方：--deployment",
    "baseline_of_other_model": "--baseline {baseline} 提供 {seen}，--deployment {judged} 提供 {asked}：无法比较；请"
    "给出同一模型的部署",
    "workloads_called_alike": "{name} 同时是两个负载的名称；名称之间不能只差 `_` 和 `-`",
    "latency_of_several": "给出了 {count} 个端点：延迟只属于其中之一；请只给出一个 --endpoint",
    "endpoint_without_model": "给出了 --endpoint，却没有 --model；请按服务所用的名称指明模型",
    "speed_not_written": "{workload} 的记录无法写入 {run}：{reason}",
    "drift_without_golden": "漂移以参照回答为准来衡量：--golden FOLDER，即 `papergate golden make` 写出的目录",
    "golden_answers_of_several": "{target}：参照回答只能取自一个部署；此目标的部署有：{names}",
    "not_asked_here": "{target}：在这里无法向其部署提问；见 papergate doctor",
    "log_of_several_models": "{log}：此文件符合 {count} 项承诺，却没有写明由哪个模型写出；请给出 --model NAME",
    "too_few_in_flight": "{in_flight} 个在途请求不够分给 {workers} 个工作进程；请增大 --concurrency，或减少工作进程"
    "：-n {in_flight}",
    "no_deployment_here": "{target}：在这里无法向此目标的任何部署提问；见 papergate doctor",
    "no_server_of_target": "{target}：此目标的承诺都与服务无关；见 papergate doctor",
    "run_no_folder": _run_no_folder,
    "option_of": "选项 {option}：{parts[0]}",
    "data_unknown": lambda values: (
        f"--data {values['name']}=...：没有这个数据集；已知的有 {'、'.join(values['known'])}{_close(values)}"
    ),
    "log_of_no_promise": _log_of_no_promise,
    "deployment_unknown": _deployment_unknown,
    "shard_malformed": f"--shard {{shard}}：{_SHARD}",
    "shard_impossible": f"--shard {{shard}}：分片 {{index}}（共 {{count}} 个）不存在；{_SHARD}",
    "shards_uneven": "--shard {shard}：此数组的任务编号不均匀；请写 --shard I/N",
    "shard_unset": _shard_unset,
    # runs that are joined
    "merge_into_old": "{folder} 已经存在；合并会新建目录：请在 -o 后给出另一个名称",
    "merge_changed": "合并期间，{runs} 中的某条记录被改动：{damage}",
    "merge_not_written": "{folder} 无法写入：{reason}；请腾出空间，或给出另一个目录",
    "merge_twice": "{run} 给出了两次；每次运行只给一次",
    "merge_of_nothing": "{run} 中没有输出；请给出用 --shard 提问的运行的目录",
    "merge_whole_and_part": "{whole} 含有 {promise} 的全部，而 {part} 只有一部分：两次运行是两次尝试",
    "merge_of_no_shards": "{promise} 出现在 {count} 次不是分片的运行中（{runs}）：每次都是单独的尝试",
    "merge_incomplete": "{folder}：分片 {shard} 没有完成；请再次运行它的命令，然后合并",
    "merge_other_shard": "{folder}：其记录属于分片 {index}/{count}，而不是 {shard}",
    "merge_other_samples": "{folder}：分片 {shard} 应有 {planned} 个样本，缺少 {missing} 个，另有 {others} 个不属于"
    "它，或属于更晚的检查点；请再次运行它的命令，直到完成",
    "merge_outside_fleet": _merge_outside_fleet,
    "merge_leaves_nothing": lambda values: "\n".join(("没有可以合并的承诺，因而无可判定：", *values["parts"])),
    "merge_refused": lambda values: "\n  - ".join((f"{values['promise']} 无法合并：", *values["parts"])),
    "merge_doubled": "分片 {shard} 给出了 {times} 次",
    "merge_missing": _merge_missing,
    "merge_of_another_run": "{folder} 与 {first} 不属于同一次运行：{difference}",
    "merge_of_another_plan": _merge_of_another_plan,
    "never_came": "没有运行包含这项承诺：其任务没有报告；请运行它，再合并到新的目录",
    # a bundle that is made
    "bundle_no_file": "{file} 不是普通文件；请给出新文件的名称：-o FILE.zip",
    "bundle_not_written": "{file} 无法写入：{reason}；请换一个位置：-o FILE.zip",
    "bundle_report_unread": "{file} 无法读取：{reason}；请给出这次运行的报告：--junit FILE",
    "bundle_of_no_verdict": "{run} 中没有结论；请给出已结束的运行的目录：runs/TIME",
    "bundle_without_promise": "{run}：{promise} 没有 {file}，因为它由较早的 papergate 判定；请先重新判定："
    "papergate runs judge {run}",
    "bundle_odd_name": "{run}：名称 {name} 不能放进证据包；目录名请只用字母、数字、点、连字符和下划线",
    "bundle_changed": "{file} 在打包期间被改动；请等运行结束后再打包",
    "bundle_not_signed": "{bundle} 已写出，但没有签名：{said}；请给出 OpenSSH 的密钥：--sign KEY",
}
"""By code."""
