"""Chinese sentences and labels, with the keys of `english`.

One term stands for one concept:

    acceptance 验收　answer 答案（从输出中提取）　baseline 基线　benchmark 数据集　budget 预算　chance 概率
    chat template 对话模板　client 客户端　completion 输出　concurrency 并发数　confidence interval 置信区间
    delta 余量　deployment 部署　drift 漂移　engine 引擎　error (of a number) 误差　evidence bundle 证据包
    finish reason 结束原因　gateway 网关　golden run 参照运行　grade 判题　grader 判题规则　interval 置信区间
    latency 时延　look 检查点　loop 循环输出　noise 噪声　perfect deployment 完全正确的部署　preflight 预检
    problem 题目　promise 承诺　prompt 提示词　protocol 测试方法　reference 参照　refusal 拒答　remedy 处理办法
    request 请求　run 运行　sample 样本　sampling 采样　score 得分　seed 种子　server 服务　session 会话
    shard 分片　stop string 停止字符串　target 目标　thought 思考　throughput 吞吐量　tolerance 容差
    truncated 截断　verdict 结论　weights 权重　workload 负载

    pass 通过　fail 未通过　inconclusive 证据不足　error 错误；a request without an answer 失败

Kept as they are: token, pass@1, p, Holm, names of options and files.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from papergate.run_folder.notes import AS_WRITTEN
from papergate.words import chinese_errors, chinese_inputs, chinese_page
from papergate.words.english import LIKELY, NAMED, SMALLEST_SHARE

Values = Mapping[str, Any]


def _share(chance: float) -> str:
    """A chance in percent, as far as it can be told."""
    return f"最多 {chance:.0%}" if chance >= SMALLEST_SHARE else f"不到 {SMALLEST_SHARE:.0%}"


def _paper_error(values: Values) -> str:
    counted = "结论已计入" if values["counted"] else "结论未计入"
    error = (
        f"论文分数自身的误差为 {values['error_points']:.2f} 个百分点（每题 {values['samples']} 个样本的平均值，"
        f"含保留到 0.1 的舍入），{counted}"
    )
    if values["chance"] > LIKELY:
        return error
    return f"{error}；计入后，完全正确的部署在任一检查点与论文相差这么多或更多的运行占{_share(values['chance'])}"


def _one_run(values: Values) -> str:
    problems, k = values["problems"], values["k"]
    perfect, *damaged = values["passes"]
    lost = "、".join(f"{points:g}" for points, _ in damaged)
    chances = "、".join(f"{chance:.0%}" for _, chance in damaged)
    others = f"，损失 {lost} 个百分点的部署通过的概率分别为 {chances}" if damaged else ""
    return (
        f"{problems} 题 x {k} 个样本的一次运行，共 {problems * k} 个样本，答对{_span(values['accepted'])}即通过："
        f"完全正确的部署通过的概率为 {perfect[1]:.0%}{others}"
    )


def _span(counts: list[int]) -> str:
    if not counts:
        return "任何数目都不能"
    return f" {counts[0]} 个" if len(counts) == 1 else f" {counts[0]} 至 {counts[-1]} 个"


def _moved(values: Values) -> str:
    problems = values["problems"]
    named = "、".join(f"{name} 由 {before:.0%} 变为 {now:.0%}" for name, before, now in problems[:NAMED])
    more = f"，另有 {len(problems) - NAMED} 题" if len(problems) > NAMED else ""
    return f"与参照运行相比，变化超出随机波动的题目：{named}{more}"


def _golden_differs(values: Values) -> str:
    apart = "；".join(f"{name} 为 {theirs}，本次为 {ours}" for name, theirs, ours in values["differences"])
    return f"参照运行的设置不同：{apart}"


def _other_version(values: Values) -> str:
    seen = f"为 {values['seen']}" if values["seen"] else "无法得知"
    return f"{values['what']} {seen}；目标文件中写的是 {values['stated']}"


def _not_gating(values: Values) -> str:
    broken = "。没有该策略，构建不会通过" if values["broken"] else ""
    return f"策略将此承诺列为 {values['tier']} 级：不参与门禁{broken}"


def _waived(values: Values) -> str:
    effect = "没有该豁免，构建不会通过" if values["broken"] else "该豁免并不需要：承诺已兑现"
    return f"豁免至 {values['expires']}：{values['reason']}。{effect}"


def _apart(values: Values) -> str:
    return f"{'低' if values['points'] < 0 else '高'} {abs(values['points']):.1f} 个百分点"


def _servers_differ(values: Values) -> str:
    return (
        f"样本不独立：{values['where']} 的得分比其他服务或设备{_apart(values)}（p = {values['p']:.1g}）。"
        "请检查它，修复或移除后开始新的运行"
    )


def _time_differs(values: Values) -> str:
    return (
        f"样本不独立：每题前 {values['where']} 个样本之后，得分{_apart(values)}（p = {values['p']:.1g}）。"
        "请查找运行期间的变化（例如缓存、重启或负载），然后开始新的运行"
    )


def _looks_differ(values: Values) -> str:
    return (
        f"样本不独立：各检查点之间的得分差异超出随机波动（p = {values['p']:.1g}），第 {values['where']} 个检查点比其他"
        f"{_apart(values)}。请查找时有时无的变化，然后开始新的运行"
    )


def _all_agree(values: Values) -> str:
    return (
        f"样本不独立：{values['problems']} 道题中，没有一题的两个答案不同；得分为 {values['score']:.1f} % 时，"
        f"这样的运行占{_share(values['p'])}。温度是否被忽略，或服务前面有缓存？请修复后开始新的运行。"
        "如果该模型的每道题都是确定的，请用参照运行证明：--golden"
    )


def _other_verdicts(values: Values) -> str:
    named = "；".join(
        f"{at} {LABELS.get(verdict, verdict)}（{problems} 题 x {k} 个样本，{score:.2f} %）"
        for verdict, at, problems, k, score in values["verdicts"]
    )
    return f"本次运行此前有过不同的结论：{named}。全部结论保存在 verdicts.jsonl 中"


def _changed_terms(values: Values) -> str:
    apart = "；".join(f"{name} 原为 {then}，现为 {now or '未说明'}" for name, then, now in values["changes"])
    return f"运行开始后，判定条件被更改：{apart}"


def _setups(values: Values) -> str:
    return (
        f"样本来自 {values['setups']} 套不同的环境，差别在于：{'、'.join(values['differ_in'])}；"
        "详见运行目录中的 sessions.jsonl"
    )


def _ended_by_server(values: Values) -> str:
    reasons = "、".join(f"{reason!r} {count} 个" for reason, count in values["reasons"].items())
    return f"{values['count']} 个输出被服务以自己的原因结束（{reasons}）；按答错计，不再重问"


def _other_model(values: Values) -> str:
    named = "、".join(map(repr, values["named"]))
    return (
        f"{values['count']} 个输出自称来自模型 {named}，请求的是 {values['asked']!r}："
        "请确认服务或网关提供的是您要测的模型"
    )


def _reproduced(values: Values) -> str:
    found = "、".join(f"{percent:g} %（{source}）" for percent, source in values["found"])
    told = f"他人仔细复现得到 {found}"
    if not values["missed"]:
        return told
    return (
        f"{told}：{len(values['found'])} 次中有 {values['missed']} 次与承诺相差超过 {values['tolerance']}。"
        "在判定部署有问题之前，请与可信平台的参照运行比较（--golden RUN）"
    )


_SENT = {
    "batches": "它等每一批中最慢的一个结束",
    "attempts": "它最多尝试 {attempts} 次",
    "stream": "它不要求流式输出",
}


def _sends_otherwise(values: Values) -> str:
    named = "，".join(_SENT[name].format_map(values) for name in values["differ"])
    return f"发送方式与 {values['tool']} 不同：{named}（--letter 完全照办）"


def _leaves_open(values: Values) -> str:
    parts = ("；".join(values["unknown"]), "；".join(values["otherwise"]))
    named = ("文档没有写明，这里采用：", "与文档所用工具不同：")
    return "。".join(name + part for name, part in zip(named, parts, strict=True) if part)


def _unknown_could_turn(values: Values) -> str:
    causes = ((values["undecided"], "个样本无法判题"), (values["missing"], "个样本缺失或失败"))
    named = "，".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{named}；若它们都答对，结论可能改变"


_DIFFERING = {
    "weights": "权重",
    "version": "版本",
    "context": "上下文长度",
    "template": "对话模板",
    "prompt tokens": "提示词 token 数",
}
"""What servers may differ in."""


def _endpoints_differ(values: Values) -> str:
    apart = "；".join(f"{_DIFFERING.get(name, name)}：{'、'.join(found)}" for name, found in values["differ"].items())
    return f"这些服务不是同一个部署，不同之处：{apart}。请给出同一个部署的服务"


_NO_LIMIT = {
    "uncounted": "服务不返回 token 数（usage）",
    "short": "回答在达到上限前就结束了",
    "no-answer": "8 个 token 的回答没有文本，或没有回答",
}


def _limit_untold(values: Values) -> str:
    return f"无法判断 max_tokens 是否生效：{_NO_LIMIT[values['reason']]}"


def _whole_answer_damaged(values: Values) -> str:
    cause = SENTENCES[f"cause_{values['cause']}"]
    assert isinstance(cause, str), "causes are templates"
    remedy = cause.partition("：")[2]
    return f"一个完整的回答有问题（{LABELS.get(values['kind'], values['kind'])}）：{remedy}"


_SEEN = {
    "every draw the same": "每次抽样都相同",
    "temperature 1.0": "temperature 1.0",
    "temperature halved": "temperature 减半",
    "temperature doubled": "temperature 加倍",
    "temperature applied twice": "temperature 被使用两次",
    "top_p ignored": "top_p 未生效",
    "temperature 1.0 and top_p ignored": "temperature 1.0 且 top_p 未生效",
}
"""Ways to draw, by `papergate.diagnosis.sampling`."""


def _sampling_differs(values: Values) -> str:
    fits = f"{values['draws']} 次抽样与 temperature {values['temperature']:g}、top_p {values['top_p']:g} 不符"
    if values["seen"] == "another distribution":
        return (
            f"{fits}；按服务给出的对数概率，也不符合其他已知的设置。请检查是否有 logit bias、惩罚项或其他 temperature，"
            "以及解码与预填充的计算是否一致（算子、KV 缓存）"
        )
    return (
        f"{fits}；实际像是：{_SEEN.get(values['seen'], values['seen'])}。请检查服务的默认参数、改写请求的网关和采样器"
    )


_NO_SAMPLING = {
    "no-tokenizer": "服务没有返回 token id 的 /tokenize",
    "no-completions": "服务没有接受 token id 的 /v1/completions",
    "no-log-probabilities": "服务不按 token id 返回对数概率",
    "log-probabilities-after-temperature": "服务的对数概率随 temperature 变化",
    "no-choice": "所检查的回答中没有多个 token 都有可能的位置",
}


def _sampling_untold(values: Values) -> str:
    return f"无法判断 temperature 和 top_p 是否生效：{_NO_SAMPLING[values['reason']]}"


def _verdict(values: Values) -> str:
    return f"{LABELS[values['verdict']]}：{'；'.join(values['parts'])}"


def _seen(values: Values) -> str:
    (lo, hi), parts = values["interval"], values.get("parts", ())
    seen = f"pass@1 {values['score']} % [{lo}, {hi}]，承诺值 {_promised(values)}"
    apart = "没有差异" if values["apart"] == "0" else f"{_SIDES[values['side']]} {values['apart']} 个百分点"
    return f"{seen}：{'，'.join((apart, *parts))}（{'，'.join(_basis(values))}）"


def _basis(values: Values) -> Iterator[str]:
    yield f"{values['problems']} 题 x {_samples(*values['samples'])}"
    if values["delta"]:
        yield f"余量 {values['delta']} 个百分点"
    if values["alpha"]:
        yield f"alpha {values['alpha']} %"
    if values["one_sided"]:
        yield "单侧：得分再高也不算超出"


_SIDES = {"low": "低", "high": "高"}


def _promised(values: Values) -> str:
    number = f"{values['reference']} %{'（参照运行）' if values['golden'] else ''}"
    tolerance, points = values["tolerance"], f"{values['points']} 个百分点"
    if tolerance == "gain":
        return f"高于 {number}"
    return f"{number} ± {f'{_tolerance(values)}（{points}）' if 'problem' in tolerance else points}"


def _tolerance(values: Values) -> str:
    """A tolerance, which promises state in English."""
    number, _, unit = values["tolerance"].partition(" ")
    return {"gain": "高于参照", "problem": f"{number} 道题", "point": f"{number} 个百分点"}[
        (unit or number).rstrip("s")
    ]


def _samples(fewest: int, most: int) -> str:
    return f"{fewest} 个样本" if fewest == most else f"{fewest} 至 {most} 个样本"


_UNFORCED = "无法比较给定 token 的对数概率："
_NO_DRIFT = {
    "no-log-probabilities": "服务不返回（vLLM 可用 prompt_logprobs 返回）。贪心回答看不出的漂移将无法发现",
    "other-tokenizer": "它的分词器与参照的不同",
    "no-golden-log-probabilities": "参照回答中没有",
    "no-answer": "服务没有回答",
}
_PARTED = (
    "{clear} 个（共 {answers} 个）贪心回答在参照明显偏好另一个 token 的位置与参照不同（最大 {largest:g} nat）；"
    "舍入误差不会造成，{fail} 个起不通过"
)
_NO_GREEDY = {
    "temperature-0-refused": "服务拒绝 temperature 0。解码阶段的故障将无法发现",
    "no-golden-answers": "参照中没有",
    "no-golden-texts": "服务只返回文本，而参照缺少其 token 的文本。请用 vLLM 或在进程内生成参照",
    "no-answer": "服务没有回答",
}


def _greedy_answers_failed(values: Values) -> str:
    if values.get("reason") == "server-cap":
        return (
            f"服务端的上限截断了 {values['cut']} 个（共 {values['answers']} 个）贪心回答，"
            f"最长的只有 {values['tokens']} 个 token，少于请求的数量。请调高服务端的上限"
        )
    return (_PARTED + "。请检查权重；若给定 token 的对数概率一致，请检查解码：缓存、位置、批处理").format_map(values)


def _other_prompt(values: Values) -> str:
    if values["reason"] == "tokenizer":
        return "分词器与参照的不同：同样的文本变成不同的 token。请使用模型自带的分词器"
    return (
        f"对话模板与参照的不同：一个提示词有 {values['tokens']} 个 token，应为 {values['golden']} 个"
        "（缺少预填内容、多了系统提示词、首个 token 重复）；请使用模型自带的模板"
    )


def _drifted(what: str) -> Callable[[Values], str]:
    """The divergence with its error, beside the thresholds; `what` follows from it."""

    def said(values: Values) -> str:
        best = "最可能的 20 个 token" if values["best"] else "仅给定的 token"
        how = "用受损权重测得" if values["measured"] else "由参照自身的噪声推定"
        return (
            f"对数概率平均每个 token 相差 {values['divergence']:.2g} +- {values['error']:.1g} nat"
            f"（{values['tokens']} 个 token，{best}）；{values['warn']:.2g} 起警告，{values['fail']:.2g} 起不通过"
            f"（{how}）{what}"
        )

    return said


def _unforced(values: Values) -> str:
    if values["reason"] == "scaled":
        return (
            f"{_UNFORCED}它们像是除以了 temperature {values['temperature']:g}（相差 {values['divergence']:.2g}）；"
            "请让服务返回原始值（vLLM：--logprobs-mode raw_logprobs）"
        )
    return _UNFORCED + _NO_DRIFT[values["reason"]]


def _pooled(values: Values) -> str:
    (lo, hi), each = values["interval"], "、".join(f"{part:+.0f} %" for part in values["each"])
    return (
        f"{len(values['each'])} 项承诺合计，平均相差其界限的 {values['difference']:+.0f} % [{lo:+.0f}, {hi:+.0f}]"
        f"（各项：{each}）；允许 {values['tolerance']:.0f} %，"
        f"对共同损失作出每种错误结论的概率最多 {values['alpha']:g} %"
    )


def _plan_head(values: Values) -> str:
    spread = "（平均值，参照运行中答案不稳定的题采得更多）" if values["allocates"] else ""
    looks = "、".join(map(str, values["looks"]))
    return f"{values['problems']} 题，检查点在每题 {looks} 个样本{spread}；{values['parts'][0]}"


def _plan_promised(values: Values) -> str:
    whose = "（参照运行）" if values["golden"] else ""
    return (
        f"承诺值 {values['percent']:.1f} %{whose} ± {_tolerance(values)}，采样参数 "
        f"temperature {values['temperature']}、"
        f"top_p {values['top_p']}、max_tokens {values['max_tokens']}（测试方法 {values['protocol']}）"
    )


def _plan_loss(values: Values) -> str:
    return f"{values['points']:g} 点" if values["points"] else "无"


def _plan_attempts(values: Values) -> str:
    chances = "、".join(f"{_plan_loss({'points': points})} {chance:.0%}" for points, chance in values["chances"])
    return f"重新运行 {values['attempts']} 次至少通过一次的概率，按损失：{chances}；因此运行只续跑，不重复"


_NO_SPEED = "速度未知（--tokens-per-s）"


def _plan_cost(values: Values) -> str:
    length = "参照运行实测" if values["measured"] else "数据集文件中的粗略值"
    speed = f"{values['tokens_per_s']:g} token/秒" if values["tokens_per_s"] else _NO_SPEED
    return f"每个样本 {values['tokens']:.0f} 个 token，{length}；{speed}"


def _amounts(values: Values) -> str:
    time = f"{values['hours']:.2g} 小时" if values["hours"] else _NO_SPEED
    return f"{values['samples']} 个样本，约 {values['tokens']:.0f} 个 token，{time}"


def _plan_price(values: Values) -> str:
    return f"需要 {_amounts(values)}"


def _plan_gain(values: Values) -> str:
    looks, percent = "、".join(map(str, values["looks"])), values["percent"]
    base = (
        f"参照运行，基础模型得分 {percent:.1f} %，每题 {values['samples']} 个样本"
        if values["golden"]
        else f"先测试基础模型，每题 {values['samples']} 个样本；其得分未知，按答案波动最大的 {percent:.0f} % 计划"
    )
    return f"相对基础模型的增益（{base}）；被测模型的检查点在每题 {looks} 个样本"


def _plan_base(values: Values) -> str:
    return f"基础模型需要 {_amounts(values)}"


def _plan_gained(values: Values) -> str:
    ends = f"通过的概率 {values['passes']:.0%}，不通过的概率 {values['fails']:.0%}"
    return f"增益为{_plan_loss(values)}时，{ends}；需要 {_amounts(values)}"


def _planned(values: Values) -> str:
    promises, left = values["promises"], values["without"]
    part = f"{promises} 项承诺中的 {promises - left} 项" if left else f"{promises} 项承诺"
    return f"已估算{part if left else f' {part}'}；没有提问，也没有测试"


def _changes_moved(values: Values) -> str:
    named = "；".join(f"{name} 由 {before:.0%} 变为 {now:.0%}" for name, before, now in values["problems"])
    return f"{values['group']}，{values['run']}：{values['count']} 道题目发生变化（Fisher，Holm）：{named}"


def _running(values: Values) -> str:
    promised, tolerance = f"{values['promised']:.1f} %", values["tolerance"]
    interval = " [{:.1f}, {:.1f}]".format(*values["interval"]) if values["interval"] else ""
    parts = [
        f"得分 {values['percent']:.1f} %{interval}",
        f"承诺值 {promised} ± {_tolerance({'tolerance': tolerance})}" if tolerance else f"承诺值 > {promised}",
        *(["第 {} 个检查点，共 {} 个".format(*values["look"])] if values["look"] else []),
    ]
    return "，".join(parts)


def _progress(values: Values) -> str:
    done = f"{values['done']}/{values['total']} 个样本，共 {values['problems']} 题"
    rate = f"{values['tokens_per_s']:,.0f} token/秒"
    if "in_flight" not in values:
        return f"{done}，{rate}"
    left = f"约剩 {values['left']}" if values["left"] else "剩余时间未知"
    return f"{done}，{left}，{values['in_flight']} 个请求在途，{rate}"


def _listed(head: str) -> Callable[[Values], str]:
    return lambda values: head + "；".join(values["parts"])


_SIDES_COMPARED = {"deployment": "部署", "baseline": "基线"}


SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    AS_WRITTEN: "{text}",
    # the verdict
    "verdict": _verdict,
    "seen": _seen,
    "so_far": "目前为止 {parts[0]}",
    "likely_cause": "可能原因：{parts[0]}",
    "further_samples": "尚无结论；预计每题再采约 {samples} 个样本可以得出结论",
    "reference_too_noisy": "尚无结论；参照的噪声太大，采样再多也不够，需要参照运行",
    "undecidable_difference": "尚无结论；这个差异恰好处在采样再多也无法判定的位置",
    "tolerance": _tolerance,
    "family": "{promises} 项承诺，完全正确的部署在每一项上因得分偏低而未通过的概率最多 {alpha:.0%}："
    "这样的未通过预计最多 {expected:.1f} 项，出现一项或更多的概率最多 {chance:.0%}；"
    "若所有承诺合计的错误率不超过 {alpha:.0%}（Holm），{failed} 项未通过中有 {stand} 项成立",
    "score_above_paper": "得分比论文高出容差以上：请检查是否有答案泄漏、多数投票、更宽的判题规则、"
    "更长的长度上限或其他权重",
    "counts_alone": "只有计数，无法查找输出之间的重复；有重复时，“未通过”没有那么可靠。"
    "如果保存了输出，请判定输出本身：pytest tests/accuracy --predictions FILE",
    "could_be_paper_noise": "这可能是论文自身的噪声：每题 {samples} 个样本的平均值有 {error_points:.2f} 个百分点的"
    "误差，计入后，完全正确的部署在任一检查点相差这么多或更多的概率可达 {chance:.0%}；请与参照运行比较",
    "confirm_failure": "要确认这次未通过，请用新的种子再运行一次，每题 {k} 个样本："
    "--run NEW_FOLDER --run-seed {seed} --samples {k}。完全正确的部署在那次运行中未通过的概率最多 {alpha:.0%}，"
    "两次都未通过的概率最多 {both:.2%}。那次通过也不能撤销这次的结论",
    # what next
    "worst_problem": "{problem}：{samples} 个样本中 {correct} 个正确，{truncated} 个被截断",
    "next_more_samples": "要得到结论：在同一命令后加上 {option} {samples} --run={run}；只会补问缺少的部分",
    "next_look": "请看：{page}；所有输出和判题结果都在 {folder}",
    "next_judge": "离线重新判定：papergate runs judge {run}",
    "unjudged": "尚无结论：papergate runs judge {run} 判定已存的部分；加 --run={run} 继续提问",
    "next_resume": "排除问题后，在同一命令后加上 --run={run}：只会补问缺少的部分",
    # why the verdict is not the judgement's alone
    "partial_by_limit": "部分运行（{problems} 题中的 {asked} 题），不能通过：要得到结论，请去掉 --limit",
    "partial_by_file": "部分运行（{problems} 题中的 {asked} 题），不能通过：要得到结论，请给出每道题的样本",
    "trial_good": "环境正常：提出了 {samples} 个请求（{problems} 题中的 {asked} 题），{answered} 个有答案，"
    "{correct} 个正确。没有判定任何承诺：要得到结论，请去掉 --trial",
    "trial_without_answer": "环境不正常：提出了 {samples} 个请求（{problems} 题中的 {asked} 题），"
    "都没有答案。请查看运行文件夹中的回答",
    "unknown_could_turn": _unknown_could_turn,
    "other_verdicts_before": _other_verdicts,
    "terms_changed": _changed_terms,
    "not_gating": _not_gating,
    "waived": _waived,
    "waiver_expired": "此承诺的豁免已于 {expires} 到期：{reason}",
    "dependent_copies": "样本不独立：{answers} 个长输出中有 {copies} 个与同题的另一个相同。"
    "请检查服务前面的缓存、被忽略的种子或日志中的重复行，然后开始新的运行",
    "dependent_unanimous": _all_agree,
    "dependent_places": _servers_differ,
    "dependent_time": _time_differs,
    "dependent_looks": _looks_differ,
    "unanimous_so_far": "目前没有一题的两个答案不同，无法看到题内噪声：请为每题采集更多样本",
    "places_so_far": "各服务之间可能有差别（p = {p:.2g}）：更多样本可以判断",
    "side_by_side_so_far": "得分超出容差，但同一批采集或文本相同的答案可能有共同的噪声（若如此，p = {p:.2g}）："
    "更多样本可以判断",
    "few_copies": "{answers} 个长输出中有 {copies} 个与同题的另一个相同：请检查服务前面的缓存或被忽略的种子",
    "not_sure_in_the_family": "单独看未通过（p = {p:.2g}），但在本次会话的所有承诺中需要 p = {most:.2g}（Holm）",
    "tokens_not_counted": "因 --budget-tokens 停止：引擎不统计 token 数，无法遵守预算",
    "tokens_spent": "因 --budget-tokens {most} 停止：已用 {spent} 个 token，下一个检查点约需再用 {needed:.0f} 个",
    "hours_spent": "因 --budget-hours {most:g} 停止：已用 {spent:.2g} 小时，下一个检查点约需再用 {needed:.2g} 小时",
    # the samples
    "grades_undecided": "{count} 个样本在限制之内无法判题，按答错计",
    "answers_elsewhere": "{count} 个答错的输出在别处含有正确答案",
    "answers_refused": "{count} 个输出是服务的拒答，按答错计",
    "answers_drawn_again": "{answers} 个输出中有 {count} 个在请求失败后才得到，且通过的结论依赖它们："
    "若它们答错，就不会通过。如果失败与输出有关（例如网关截断长输出），得分会偏高；请在服务的日志中查看失败的原因",
    "answers_ended_by_server": _ended_by_server,
    "answers_name_other_model": _other_model,
    "samples_never_came": "{count} 个计划中的样本没有得到，按答错计",
    # why wrong answers may be wrong
    "cause_server-cap": "{percent:g} % 的输出停在 {tokens:,} 个 token：这是服务的上限；"
    "请调高，本次运行请求 {asked:,} 个",
    "cause_context-cap": "{percent:g} % 的输出停在提示词与输出共 {tokens:,} 个 token 处：这是服务的上下文长度；"
    "请用更长的上下文启动（vLLM：--max-model-len）",
    "cause_token-limit": "{percent:g} % 的输出达到 {tokens:,} 个 token，即本次运行请求的上限",
    "cause_stop-string": "{percent:g} % 的输出未到上限就在思考中结束：请检查服务设置中的停止字符串或错误的结束 token",
    "cause_loops": "{percent:g} % 的输出循环到结尾：请检查采样、量化和服务的缓存",
    "cause_garbled": "{percent:g} % 的输出是乱码：请检查权重、算子、缓存和每个副本",
    "cause_other-language": "{percent:g} % 的输出变成与提示词不同的文字：请检查权重和对话模板",
    "cause_empty-answers": "{percent:g} % 的输出为空：请查看服务的日志；结果文件可能把错误记成空文本",
    "cause_thought-lost": "{percent:g} % 的输出没有思考，但其 token 已计数："
    "网关或推理解析器（reasoning parser）丢掉了思考；请保留它",
    "cause_mark-lost": "{percent:g} % 的输出没有结束思考的标记：网关或解析器去掉了它；"
    "请配置该模型的推理解析器（reasoning parser），或原样返回文本",
    "cause_no-thought": "{percent:g} % 的输出思考为空：对话模板关闭了思考；请使用模型自带的模板",
    "cause_answer-lost": "{percent:g} % 的输出在思考之后就结束：解析器或停止字符串丢掉了后面的内容",
    "cause_refusals": "{percent:g} % 的输出是拒答：请去掉引起拒答的系统提示词或过滤器",
    "cause_server-filter": "{percent:g} % 的输出被服务的内容过滤结束：请关闭它",
    "cause_answer-elsewhere": "{percent:g} % 的输出在未被读作答案的 box 中含有正确答案："
    "请检查它后面的内容（第二个 box、反问）和提示词",
    "cause_one-group": "{group} 得分 {score[0]:g} %，参照运行中为 {score[1]:g} %；"
    "其余题目为 {others[0]:g} % 和 {others[1]:g} %：请检查这些题目的共同点，例如长度",
    "cause_server-ended": "{percent:g} % 的输出被服务以自己的原因结束：见 completions.jsonl 中的 `finish_reason`",
    # the set-up
    "other_benchmark_text": "{benchmark}：{variant}；摘要为 {digest}",
    "no_preflight": "提问前没有检查服务（--no-preflight）",
    "golden_off_the_print": "参照运行本身得分 {golden:.1f} %，而公布的是 {printed:.1f} % ± {tolerance}："
    "通过只说明两次运行一致，不说明达到公布的得分",
    "own_promise": "papergate 自带的承诺中没有这一条。未核实：{source} 确实承诺在 {tolerance} 以内",
    "attached": "连接到已有的服务。未核实：服务运行在 {hardware} 上",
    "other_version": _other_version,
    "other_grader": "按 {grader} 的规则判题，而不是 papergate 的规则：用于解释差异，不用于验收",
    "document_asks_other_text": "{tool} 使用的题目文本是 {stated!r}；本次使用的是 {seen!r}",
    "document_sends_otherwise": _sends_otherwise,
    "document_leaves_open": _leaves_open,
    "own_rules": "按 {grader} 的规则判题；按 papergate 自己的规则为 {percent:.2f} %："
    "{count} 个答案中有 {differ} 个判法不同",
    "golds_refused": "{grader} 的规则把数据集 {problems} 个标准答案中的 {refused} 个判为错误，"
    "最多损失 {points:.1f} 个百分点",
    "lower_token_limit": "max_tokens 为 {max_tokens}，是部署自身的上限；论文使用 {paper}",
    "setups_differ": _setups,
    "store_repaired": "保存的输出曾经损坏并已修复：{what}",
    "from_file": "输出来自文件。未核实：采样方式和所用硬件",
    "log_of_own_run": "日志来自 papergate 的运行 {promise}（{engine}）：校验值、种子和清单均相符。未核实：所用硬件",
    "log_without_manifest": "日志来自 papergate 的一次运行，但旁边没有 manifest.json。未核实：模型、种子和提示词",
    "log_judged_before": lambda values: (
        f"该日志所属的运行此前已判定 {values['times']} 次，最近一次为"
        f"{LABELS.get(values['verdict'], values['verdict'])}（{values['at']}）"
    ),
    "file_names_other_model": "文件中的模型名为 {named!r}。未核实：它就是 {promised}",
    "thoughts_stripped": "命令说明思考已被去掉：无法判断输出是否被长度上限截断",
    # beside a golden run
    "golden_differs": _golden_differs,
    "golden_without_history": "参照运行旁边没有 verdicts.jsonl。未核实：其记录和判题结果就是作出结论时的那些",
    "golden_not_recounted": "参照运行旁边没有 grades.jsonl。未核实：其计数与答案相符",
    "length_outside_band": "平均输出长度是参照运行的 {percent:.1f} %，超出 {low:.0f} 至 {high:.0f} % 的范围",
    "lengths_unknown": "无法与参照运行比较输出长度：两次运行没有都统计 token 数",
    "truncation_differs": "截断的输出占 {percent:.2f} %，参照运行为 {golden_percent:.2f} %：差异超出随机波动",
    "problems_moved": _moved,
    # what the numbers can show
    "average": "{title}：本次 {percent:.2f} %，文档为 {stated:g} %（{source}）；各部分的平均值，不作判定",
    "document_measured": "文档自己测得 {percent:g} %（{source}）",
    "reproduced": _reproduced,
    "paper_error": _paper_error,
    "one_run": _one_run,
    "holm_threshold": "在本次会话的所有承诺中，p = {p:.2g} 时判为未通过（Holm）",
    # runs side by side
    "changes_rule": "逐题比较。标有 *：在此处全部 {count} 次得分与长度的比较中超出随机波动（Holm）。没有变化时，"
    "此类表格中最多 {percent:g} % 会出现标记。长度：对各题做精确符号检验。速度各测一次，不作标记",
    "changes_moved": _changes_moved,
    "changes_refused": "{group}，{run}：未作比较，{why}",
    # a bundle that was checked
    "verify_grades_differ": "{count} 个判题结果与输出不符。第一个：{problem} 的样本 {sample}，"
    "记录为 {stated}，重新计算为 {computed}",
    "verify_misplaced": "文件夹 {folder} 中是 {stated} 的结论",
    "verify_field_differs": "{name} 记录为 {stated}；由输出计算得到 {computed}",
    "verify_more_differ": "结论中还有 {count} 个值不同",
    "verify_not_the_last": "{file} 不是 verdicts.jsonl 中最后一个结论所用的文件",
    "verify_no_history": "缺少 verdicts.jsonl：无法得知此前有过哪些结论",
    "verify_earlier_verdicts": "该承诺在本次运行中此前有 {count} 个结论：{verdicts}",
    "verify_other_golds": "标准答案不是 {benchmark} 公布的答案",
    "verify_options_absent": "{count} 个判题结果无法在此计算，因为证据包中没有题目的选项；"
    "请给出数据集文件：--data BENCHMARK=FILE",
    "verify_no_completions": "证据包中没有该承诺的输出：结论来自其他工具的文件。无法计算判题结果和结论",
    "verify_no_verdict": "没有结论：测试以错误结束",
    "verify_grades_limited": "{count} 个判题结果在此处或原处因时间或内存限制而结束，不作比对：{samples}",
    "verify_own_promise": "此 papergate 没有这个承诺，或内容不同。未核实：论文如此声明。"
    "证据包的声明：{tolerance} 以内，{source}",
    "verify_text_absent": "证据包中没有 {benchmark} 的题目文本：判题只依据标准答案。其摘要为 {digest}",
    "verify_golden_taken": "参照运行 {promise} 以其记录为准；请用它自己的证据包核实",
    "verify_other_release": "由 papergate {judged} 判定，由 {here} 核实，两者的规则可能不同",
    "verify_proves": "已证明：{files} 个文件相互吻合，根摘要为 {root}；由保存的 {completions} 个输出，papergate {here} "
    "得到与 papergate {judged} 所记录相同的 {grades} 个判题结果和 {verdicts} 个结论。",
    "verify_quoted": "{by} 引用了同一个根摘要：这些文件就是其中所报告的文件。",
    "signature_of": "{name} 的签名",
    "verify_unquoted": "未证明：这些就是该次运行的文件。重新计算全部文件与摘要的人能得到同样吻合的证据包；"
    "请将根摘要与您手中的 JUnit 报告比对（--junit、--root），或索取签名。",
    "verify_cannot": "任何证据包都不能证明：输出确由其中所写的部署、在其中所写的硬件上产生。",
    # how a session ends
    "note": "注意：{parts[0]}",
    "warning": "警告：{parts[0]}",
    "report_at": "报告：{path}",
    "resume": "续跑：--run={run}",
    "resume_shard": "续跑：--run={run}    所有分片完成后：papergate merge RUN .. -o RUN",
    "shard_complete": "分片 {shard} 已完成：{samples} 个样本，全部题目平均每题至 {look} 个；不作判定："
    "papergate merge 合并全部 {count} 个分片",
    "worker_killed": "没有结论：测试它的工作进程被杀死或崩溃；已得到的回答保留着："
    "用同样的命令加上 --run={run} 可以继续",
    "not_tested": "此处不测：{promises} 项承诺，原因：{reason}",
    "unreached": "没有结论：会话在测到它之前结束；用同样的命令加上 --run={run} 可以继续",
    "skipped": "被跳过，但选中的承诺必须有结论",
    "of_promises": lambda values: f"涉及：{'、'.join(values['promises'])}",
    "lines_left_out": "（共 {lines} 行，显示 {shown} 行；全文见报告）",
    "preflight_begins": "预检 {deployment}：几百个简短请求（--no-preflight 可跳过）",
    "preflight_found": "预检：{checks} 项检查中 {fine} 项正常，用时 {seconds:.0f} 秒",
    "preflight_refuses": "预检不合格，没有提问",
    # while it runs
    "waiting_for_shards": "等待 {shards} 个分片完成到检查点 {look}",
    "waiting_for_look": "检查点 {look}：等待 {shards} 个分片；{parts[0]}",
    "nothing_graded": "尚未判题",
    "progress_kept": "{samples} 个样本中的 {kept} 个已保存在 {folder}；同样的命令加上 --run={run} "
    "只补问其余 {missing} 个",
    "progress_longest": "用 {benchmark} 最长的提示词检查 {model}",
    "progress_begins": "将提问 {total} 个样本中的 {missing} 个，共 {problems} 题；此前已保存 {stored} 个",
    "running": _running,
    "progress": _progress,
    "progress_errors": "失败 {failed} 次，重试 {retries} 次（最近一次：{last}）",
    "progress_retry": "{error}；{seconds:.0f} 秒后重试",
    **chinese_errors.SENTENCES,
    **chinese_inputs.SENTENCES,
    # plans
    "pooled": _pooled,
    "plan_head": _plan_head,
    "plan_truth": "把承诺值当作真值",
    "plan_exact": "论文分数是每题 {samples} 个样本的平均值，当作真值",
    "plan_own_error": "{kind} 参照，每题 {samples} 个样本，计入其自身误差",
    "plan_beta": "按 Beta 分布的答对率模拟，二项方差的 {share:.0%} 在题目内部",
    "plan_golden": "按参照运行的答对率模拟，每题 {samples} 个样本",
    "plan_loss": _plan_loss,
    "plan_attempts": _plan_attempts,
    "plan_promised": _plan_promised,
    "plan_cost": _plan_cost,
    "plan_price": _plan_price,
    "plan_gain": _plan_gain,
    "plan_base": _plan_base,
    "plan_gained": _plan_gained,
    "no_plan": "无法估算：{message}",
    "planned": _planned,
    # speed
    "run_unfit": _listed("本次测量不可用："),
    "comparison_unfit": _listed("本次比较不可用："),
    "of_start": lambda values: f"{_SIDES_COMPARED[values['side']]}第 {values['number']} 次启动：{values['parts'][0]}",
    "slowdown": "时延与基线相比 {change:+.1%} [{interval[0]:+.1%}, {interval[1]:+.1%}]"
    "（{clusters} 组，共 {comparisons} 次比较）",
    "client_untold": "测量时间太短，看不出客户端是否跟得上",
    "client_late": "客户端的事件循环延迟（p99）{seen_ms:.1f} 毫秒，低于 {most_ms:.0f} 毫秒才可用",
    "client_busy": "客户端占用一个核的 {share:.0%}，最多可用 {most:.0%}",
    "requests_late": "请求比计划晚发出（p99）{seen_ms:.1f} 毫秒，低于 {most_ms:.0f} 毫秒才可用",
    "outputs_short": "{outputs} 个输出中有 {short} 个提前结束，尽管服务接受 ignore_eos",
    # checks of a preflight, with their state
    "no_answer_failed": "检查 {check} 时没有得到回复：{said}",
    "endpoints_failed": _endpoints_differ,
    "limit_failed": "请求 max_tokens = {asked}，得到 {tokens} 个 token（结束原因 {finish}）："
    "服务或网关改动了 max_tokens；请原样传递",
    "limit_unknown": _limit_untold,
    "whole_answer_failed": _whole_answer_damaged,
    "whole_answer_noted": _whole_answer_damaged,
    "time_out_noted": "服务在 {ends_after_s:g} 秒后结束回答：{tokens:,} 个 token 需要每秒 {needed:g} 个 token，"
    "单个请求实测为 {seen:g}；请调大 e2eTimeout 和 tokenTimeout，否则较长的回答会丢失",
    "time_out_unknown": "服务在 {ends_after_s:g} 秒后结束回答，{tokens:,} 个 token 需要每秒 {needed:g} 个 token；"
    "试答太短，无法得知速度",
    "token_counts_noted": "服务的 token 数与文本不符，或没有返回：速度和长度上限不可信",
    "asked_again_noted": "{count} 个请求失败，重新发送后得到回答（运行时也会重发）；最后的错误：{said}",
    "greedy_noted": "temperature 0 时，{repeats} 次请求得到 {texts} 种文本：服务的批处理噪声，或 temperature 未生效",
    "greedy_unknown": "服务拒绝 temperature 0，因此不知道输出是否可重复：{said}",
    "streaming_noted": "temperature 0 时，流式与非流式的回答不同：请检查网关和推理解析器（reasoning parser）",
    "streaming_unknown": "无法比较流式与非流式的回答：{said}",
    "sampling_failed": _sampling_differs,
    "sampling_unknown": _sampling_untold,
    "draws_noted": "temperature {temperature:g} 时，{pairs} 个提示词各用两个种子请求，每次两份文本都相同："
    "服务没有使用 temperature，或所有请求共用一个种子。请检查模型 generation_config.json 中的 do_sample"
    "（transformers serve）、服务的默认参数，以及前面的缓存",
    "draws_unknown": "无法判断 temperature {temperature:g} 时两个种子是否抽到两份文本：{said}",
    "seeds_noted": "{pairs} 对同种子的请求中有 {differ} 对抽到不同的 token：运行无法逐字复现，得分同样有效",
    "concurrency_noted": "{count} 个请求同时发出共用 {together_s:g} 秒，单个用 {alone_s:g} 秒：它们被逐个处理；"
    "请检查服务或网关的并发限制",
    "server_changed": "没有发出请求：{url} 在预检之后有变化。原来：{then}。现在：{now}。请确保运行期间无人重启"
    "或切换服务，然后重新开始",
    # speed
    "speed_held_back": "{count} 个回答（共 {of} 个）在结束时一次到达：网关缓冲了流。此时 TTFT 等于整个回答的时间；"
    "请关闭缓冲（nginx：proxy_buffering off）",
    "speed_bursts": "数据块成批到达（{percent} % 与前一块相隔不到 1 ms，每块 {tokens_per_chunk:g} 个 token）："
    "网关或服务把它们攒在一起。TPOT 有效，ITL 和 TTFT 反映的是攒批；请关闭缓冲",
    "speed_limit": "同时进行的回答最多 {most} 个，要求 {asked} 个：请检查服务（vLLM：--max-num-seqs）、网关"
    "或本机打开文件数的限制",
    "speed_not_counted": "{count} 个回答（共 {of} 个）没有 token 数：服务不返回 usage，也没有分词接口。TPOT 和吞吐量"
    "不含它们；请让 usage 通过（stream_options）",
    "speed_counted_by_tokenizer": "服务没有为 {count} 个回答（共 {of} 个）返回 usage：其 token 由它的分词器统计，"
    "不含没有文本的 token",
    "drift_result": "{deployment} 相对 {golden} 的漂移：{result}（{seconds:.0f} 秒）",
    # drift from golden answers, with its state
    "prompts_ok": "{prompts} 个提示词的 token 与参照相同",
    "prompts_failed": _other_prompt,
    "prompts_unknown": "无法判断提示词的 token 是否与参照相同：服务没有返回 token id 的 /tokenize。"
    "若贪心回答一致，模板的差异将无法发现",
    "forced_ok": _drifted(""),
    "forced_noted": _drifted("：算术与参照不同，或位数更少。请以得分为准"),
    "forced_failed": _drifted("：已达到损坏的程度。请检查权重、量化、位置编码、注意力掩码和算子"),
    "forced_unknown": _unforced,
    "greedy_answers_ok": _PARTED,
    "greedy_answers_noted": _PARTED,
    "greedy_answers_failed": _greedy_answers_failed,
    "greedy_answers_unknown": lambda values: "无法比较贪心回答：" + _NO_GREEDY[values["reason"]],
}
"""By code."""

LABELS: Mapping[str, str] = {
    "colon": "：",
    "language": "中文",
    # verdicts and states
    "pass": "通过",
    "fail": "未通过",
    "inconclusive": "证据不足",
    "error": "错误",
    "trial": "试运行",
    "asked": "已提问",
    "recorded": "已记录",
    "ok": "正常",
    "noted": "注意",
    "failed": "不合格",
    "drifted": "有漂移",
    "cannot tell": "无法判断",
    "unknown": "无法判断",
    "yes": "是",
    "no": "否",
    "holds": "成立",
    "broken": "不成立",
    # columns and rows of verdicts
    "verdict": "结论",
    "score": "得分",
    "interval": "置信区间",
    "promised": "承诺值",
    "n_x_k": "n x k",
    "tokens": "token 数",
    "promise": "承诺",
    "problems": "题数",
    "problem": "题目",
    "samples": "样本",
    "measured": "实测",
    "protocol": "测试方法",
    "reference": "参照",
    "tolerance": "容差",
    "output_tokens": "输出 token 数",
    "times": "用时",
    "benchmark": "数据集",
    "engine": "引擎",
    "weights": "权重",
    "template": "对话模板",
    "environment": "环境",
    "hardware_promised": "承诺的硬件",
    "not_known": "未知",
    "what": "内容",
    "note": "注意",
    "likely_cause": "可能原因",
    "notes": "说明",
    "worst_problems": "得分最低的题目",
    "what_next": "下一步",
    "samples_k": "样本数 k",
    "seed": "种子",
    "grader": "判题规则",
    "version": "版本",
    # plans
    "lost": "损失",
    "undecided": "证据不足",
    "completions": "输出数",
    "hours": "小时",
    "not_known_cell": "未知",
    # the golden run
    "golden_run": "参照运行",
    "here": "本次",
    "output_length": "输出长度",
    "truncated": "截断",
    "problem_moved": "变化的题目",
    "p_adjusted": "p 值（Holm 校正）",
    # runs side by side
    "run": "运行",
    "difference": "差值（百分点）",
    "tokens_per_sample": "每样本 token 数",
    "length": "长度",
    "moved": "变化的题目",
    "compare_heading": "运行对比",
    "history_heading": "版本历史",
    "scores_in_order": "得分及置信区间，按表中顺序",
    "scores_in_order_caption": "点是得分，竖线是置信区间；颜色表示结论。",
    "place_in_table": "表中的行",
    # the statement
    "statement": "验收声明",
    "official": "官方值",
    "official_source": "官方值来源",
    "error_points": "误差（百分点）",
    **chinese_errors.REPORTS,
    "model": "模型",
    "judged_at": "判定时间",
    "waivers": "结论与限制",
    "evidence": "证据",
    "root": "根摘要（sha256）",
    "outcome": "复现结果",
    # a bundle that was checked
    "result": "核实结果",
    "verified": "已核实",
    "contradicted": "不符",
    "incomplete": "不完整",
    # speed
    "speed": "速度",
    "valid": "有效",
    "workload": "负载",
    "load": "请求方式",
    "client": "客户端",
    "count": "数量",
    "window": "时间窗",
    "requests": "请求数",
    "requests_per_s": "请求数 / 秒",
    "output_tokens_per_s": "输出 token / 秒",
    "all_tokens_per_s": "全部 token / 秒",
    "goodput_per_s": "有效吞吐（请求数 / 秒）",
    "tokens_per_chunk": "每个数据块的 token 数",
    **chinese_page.LABELS,
}
"""By name."""
