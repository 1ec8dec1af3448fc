"""Chinese sentences for what breaks before a verdict: by the kind of error, and where more is known, in detail."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]


def _listed(lines: Sequence[str], more: int = 0) -> str:
    """Lines under a sentence, and how many were left out."""
    return "".join(f"\n  - {line}" for line in lines) + (f"\n  - 另有 {more} 项" if more else "")


def _other_scheme(values: Values) -> str:
    spoken = "明文 HTTP" if values["plain"] else "TLS"
    return f"{values['url']}：服务在此端口使用 {spoken}；请给出地址 {values['address']}"


def _wants_key(values: Values) -> str:
    key = values["key"]
    sent = f"已发送 {key} 中的密钥" if values["sent"] else f"没有发送密钥；请设置 {key}"
    return " ".join(filter(None, (values["url"], f"返回 {values['status']} {values['said']}：{sent}")))


def _serves_others(values: Values) -> str:
    names, more = values["names"], values["more"]
    shown = "、".join(map(repr, names)) + (f" 等，另有 {more} 个" if more else "")
    close = f"（是否指 {values['close']}？）" if values["close"] else ""
    one = names[0] if len(names) == 1 else "NAME（其中之一）"
    return f"{values['url']} 不提供 {values['model']!r}{close}；它提供 {shown}；请给出 --model={one}"


def _ended_early(values: Values) -> str:
    remedy = f"（{values['remedy']}）" if values["remedy"] else ""
    return f"{values['server']} 尚未就绪就已退出{remedy}；日志末尾：\n{values['log']}"


def _requests_lost(values: Values) -> str:
    return (
        f"{values['samples']} 个样本中有 {values['lost']} 个始终没有得到，因此无法给出得分："
        f"{_listed(values['named'], values['more'])}\n"
        f"  已得到的都已保存；请修复引擎，再用同样的命令加上 --run={values['run']}，只补问这些样本"
    )


def _store_damaged(values: Values) -> str:
    return (
        f"{values['file']} 与 papergate 写入时不同：{_listed(values['damages'], values['more'])}\n"
        "请从备份恢复；或只保留完好的记录，其余重新提问："
        f"papergate runs check {values['folder']} --repair"
    )


def _other_run(values: Values) -> str:
    apart = "\n  ".join(values["differences"])
    return f"{values['folder']} 里是另一次运行：\n  {apart}\n请按已保存的设置续跑，或为这次运行另给一个目录"


def _not_fetched(values: Values) -> str:
    tried = _listed(values["tried"] or ["没有已知的公开来源"])
    return (
        f"{values['title']}：无法下载题目。{tried}\n"
        f"  处理办法：用 --data {values['benchmark']}=FILE 给出本地文件，或把 HF_ENDPOINT 设为镜像。"
    )


def _other_answers(values: Values) -> str:
    return (
        f"{values['file']}：题目与答案和所有认可的 {values['title']} 都不同（其摘要：{values['digest']}）。\n"
        f"  认可的版本：{_listed(values['accepted'])}\n"
        "  有标准答案错误，或属于另一道题；请从列出的来源重新下载。"
    )


SENTENCES: Mapping[str, str | Callable[[Values], str]] = {
    # by kind
    "error_other": "出错，没有结论。详情：{message}",
    "error_options": "选项有误，没有运行。详情：{message}",
    "error_promise": "目标文件或论文文件有误。详情：{message}",
    "error_benchmark": "数据集无法读取，或不是所声称的数据集。详情：{message}",
    "error_hardware": "本机没有承诺所要求的硬件。详情：{message}",
    "error_engine": "引擎或服务出错：无法启动、无法连接，或其回复无法使用。没有得分。详情：{message}",
    "error_preflight": "服务的设置不符合测试要求。{message}",
    "error_store": "运行目录无法读写，或属于另一次运行。详情：{message}",
    "error_evidence": "证据包无法使用。详情：{message}",
    "error_workload": "负载有误，或与服务不符。详情：{message}",
    "error_requests_lost": "有请求没有得到回复，无法给出得分；已得到的输出都保留。详情：{message}",
    "error_answers_damaged": "损坏的输出太多，已停止提问；请先修复部署，再开始新的运行。详情：{message}",
    "error_predictions": "保存的输出文件无法使用。详情：{message}",
    # this machine
    "hardware_missing": "{target} 要求 {hardware}；实际：{seen}。请在那台机器上运行，或连接那里的服务："
    "pytest -m {target} --endpoint http://HOST:PORT",
    "package_missing": "引擎 {engine} 需要 {package}；{install}",
    "model_not_loaded": "{model}：transformers 无法加载：{said}",
    "prompt_too_long": "{model}：上下文为 {context} 个 token，而最长的提示词有 {longest} 个，max_tokens 为 "
    "{max_tokens}，合计 {needed} 个；请在目标文件中调小 max_tokens",
    # a server that papergate starts
    "server_ended_early": _ended_early,
    "server_not_ready": "{server} 未能按时就绪；日志末尾：\n{log}",
    "server_ended": "{server} 在运行中退出；日志末尾：\n{log}",
    "server_unwell": "{folder} 中的服务不正常；日志末尾：\n{log}",
    # a server at an address
    "endpoint_silent": "{url} 在 {seconds:g} 秒内没有回复；请查看服务的日志",
    "endpoint_unreached": "无法连接 {url}（{said}）；服务是否已启动，地址是否正确？",
    "endpoint_other_scheme": _other_scheme,
    "endpoint_unwell": "{url} 不正常：/health 返回 {said}；请查看服务的日志",
    "endpoint_wants_key": _wants_key,
    "endpoint_without_models": "{url} 无法列出模型：/v1/models 返回 {said}；请查看其日志",
    "endpoint_of_another_kind": "{url} 不兼容 OpenAI 接口：/v1/models 返回 {said}；请给出服务的地址，"
    "例如 http://host:8000",
    "endpoint_serves_others": _serves_others,
    "endpoints_other_templates": "{urls} 使用 {templates} 种对话模板；请给出同一个部署的服务",
    "endpoint_context_short": "{url} 只能容纳 {context} 个 token；最长的提示词（{prompt} 个 token）与 max_tokens = "
    "{max_tokens} 共需 {needed} 个；请用更长的上下文启动服务（vLLM：--max-model-len）",
    "endpoint_draws_otherwise": "{url} 采样时使用它自己的 {settings}，不是这次运行的设置；启动时请让这些设置不起作用"
    "（llama.cpp：--top-k 0 --min-p 0）",
    "endpoint_echoes": "{url} 把提示词当作回答的开头返回：它的回答解析器不认识模型的对话模板（transformers serve："
    "请在模型的 tokenizer_config.json 中加入 `response_template`，见 docs/asking.md）",
    # while it is asked
    "no_progress": "{seconds:g} 秒内没有任何回答完成，当时有 {in_flight} 个请求在途；请查看服务的日志",
    "lost_in_a_row": "连续 {count} 个请求丢失，最后一个的错误：{said}",
    "words_withheld": "引擎在 {title} 上出错；其原文可能引用不得展示的题目，故不显示：请查看服务自己的日志",
    "samples_copied": "{repeated} 道题中有 {copied} 道的样本文字相同：是复制，不是独立采样。temperature 是否为 0，"
    "前面是否有缓存，种子是否被忽略，模型的 generation_config.json 是否缺少 `do_sample`（transformers serve）？"
    "这种部署只测一遍：--protocol vendor",
    "asking_stopped": "得到 {answers} 个回答后停止提问：{parts[0]}。损坏如此之多，无论再取多少样本都不能兑现承诺；"
    "能够承受其损坏的运行，被误停的概率至多 {alpha:.0%}。已得到的回答都保留。请修复部署，再开始新的运行",
    "requests_lost": _requests_lost,
    # the folder of the run
    "store_damaged": _store_damaged,
    "store_full": "{file} 无法写入：{reason}；此前保存的 {kept} 个回答都保留；请腾出空间，再运行同样的命令",
    "store_locked": "{folder} 正由另一个进程写入（它持有 {lock}）；请等它结束，或为这次运行另给一个目录",
    "other_run": _other_run,
    "samples_beyond": "{place} 中每道题都有超过 {most} 个样本，只用一部分来判定等于挑选；请去掉 --samples、"
    "--max-samples 和 --protocol vendor，或为新的运行另给一个目录",
    "samples_removed": "{folder}：{problems} 道题缺少较早检查点的样本，却有更晚的样本：记录被删除过，或运行开始时的"
    "检查点不同。请恢复文件；或按开始时的 --samples、--max-samples 和 --golden 续跑；或为新的运行另给一个目录",
    "verdict_not_written": "{folder}：结论无法写入：{reason}；已问到的都保留：请腾出空间，再用同样的命令加上 "
    "--run={run}。结论是：{parts[0]}",
    # promises and benchmarks
    "golden_needed": "{promise}：没有公开发表的分数，需以参照运行为准：{source}。请用 papergate 完成该运行，"
    "再给出其目录：--golden RUN。增益的基础模型可在同一会话中测试：--gain-over MODEL",
    "endpoint_of_no_promise": "给出了 {option}，但选中的承诺都与服务无关；请指明目标：-m a100",
    "benchmark_not_fetched": _not_fetched,
    "benchmark_no_file": "{file}：没有这个文件；请给出 {formats}",
    "benchmark_other_count": "{file}：有 {rows} 行，而 {title} 有 {problems} 题；请给出包含全部题目的 {formats}"
    "（快速试跑可用 --limit，但不能通过）",
    "benchmark_other_answers": _other_answers,
}
"""By code."""
