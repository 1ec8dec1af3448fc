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


def _no_application(values: Values) -> str:
    close = f"（是否指 {values['close']}？）" if values["close"] else ""
    return f"{values['url']} 上没有应用 {values['name']!r}{close}；已有：{'、'.join(values['known'])}"


def _which_application(values: Values) -> str:
    url, known = values["url"], values["known"]
    several = f"{url} 上有 {len(known)} 个应用可能提供 {values['model']!r}"
    return f"{several}；请指明：--ray {url}#NAME；已有：{'、'.join(known)}"


def _without_proxy(values: Values) -> str:
    seen = "、".join(values["seen"]) or "无"
    return (
        f"{values['url']}：没有 HEALTHY 的 Ray Serve HTTP 代理（现有代理：{seen}）；请把 `proxy_location` 设为 "
        "HeadOnly 或 EveryNode"
    )


def _shards_missing(values: Values) -> str:
    more = [f"另有 {values['more']} 个"] if values["more"] else []
    return (
        f"{values['shards']} 个分片中有 {values['behind']} 个没有完成检查点 {values['look']}，而且已有 "
        f"{values['hours']:.2g} 小时没有进展：{'；'.join([*values['parts'], *more])}。请重新运行它们的命令和本命令："
        "一切从中断处继续"
    )


REPORTS = {"the junit.xml of the bundle": "证据包中的 junit.xml"}


def _report(values: Values) -> str:
    name = str(values["report"])
    return REPORTS.get(name, name)


def _of_report(template: str) -> Callable[[Values], str]:
    """A sentence about a JUnit report: a file of the user, or the one in the bundle."""
    return lambda values: template.format_map({**values, "report": _report(values)})


def _golden_of_one_promise(values: Values) -> str:
    names = "、".join(values["names"]) or "没有"
    place = f"{values['folder']}：参照运行应当只有一个关于 {values['benchmark']} 的结论"
    remedy = "请给出一项已完成的承诺的目录：RUN/PROMISE"
    return "\n  ".join((f"{place}；其中有：{names}。{remedy}", *values["unread"]))


_FIELDS = {
    "promise": "承诺",
    "protocol": "协议",
    "seed": "种子",
    "benchmark's digest": "数据集摘要",
    "prompt's digest": "提示词摘要",
    "sampling": "采样设置",
    "model": "模型",
}


def _golden_untrue(values: Values) -> str:
    return (
        f"{values['folder']}：参照运行与其记录不符：{'；'.join(values['parts'])}。请恢复其文件，或重新判定："
        f"papergate runs judge {values['run']}"
    )


def _sums_differ(values: Values) -> str:
    return f"其中的 {values['file']} 与其文件不符：{values['line'] or '结尾不同'}"


def _ends_otherwise(values: Values) -> str:
    seen = values["seen"] or "没有 <failure> 或 <error>"
    return f"{_report(values)}：{values['promise']} 的测试{seen}，与其结论（{values['verdict']}）不符"


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
    # a Ray cluster
    "ray_no_dashboard": "{url} 不是 Ray 的控制台（dashboard）：{path} 返回 {said}；请给出 `ray start` "
    "打印的控制台地址，例如 http://HEAD:8265",
    "ray_dashboard_failed": "{url}：控制台（dashboard）返回 {said}",
    "ray_without_serve": "{url} 没有列出 Ray Serve 的应用：{path} 返回 {said}；Ray 2.10 起才会列出"
    "（已在 2.60.0 上验证）",
    "ray_no_applications": "{url} 上没有运行 Ray Serve 应用；请部署一个：serve deploy FILE",
    "ray_no_application": _no_application,
    "ray_which_application": _which_application,
    "ray_of_another_run": "{url} 上已有应用 {name}，但不是这次运行按现在的设置部署的：另一次运行正在使用它，"
    "或是被强行终止的运行留下的。可以连接它：--ray {url}#{name}；或在那里删除它：serve.delete({name!r})",
    "ray_not_taken": "{url} 不接受这些应用：{path} 返回 {said}",
    "ray_deploy_failed": "Ray Serve 无法部署应用 {told}",
    "ray_unhealthy": "应用不正常，Ray Serve 也没有修复它：\n{told}\n请修复（`serve status`，各副本的日志），或不经"
    "控制台、直接测试其余部分：--endpoint URL",
    "ray_not_running": "{seconds:g} 秒后应用仍不是 RUNNING：\n{told}",
    "ray_replicas_missing": "正在运行的副本少于应用应有的数目：{application}；请等全部副本运行，或减小其 num_replicas",
    "ray_without_proxy": _without_proxy,
    "ray_without_route": "应用 {application} 没有 route_prefix：无法通过 HTTP 访问",
    "ray_proxies_local": "{url} 的 HTTP 代理只在各自机器的 {host} 上监听；请在那里运行 papergate，或用 "
    "`http_options: {{host: 0.0.0.0}}` 启动 Serve，或给出可以访问的代理：--endpoint URL",
    "ray_deployed_anew": "应用 {application} 在运行期间被重新部署：现在是 {now}，原来是 {before}；请开始新的运行",
    "ray_not_replaced": "{said}；{seconds:g} 秒后仍没有副本接替退出的副本：{application}",
    "ray_not_removed": "{url} 上仍在运行应用 {told}；请在那里删除它",
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
    # shards and their coordinator
    "other_than_shards": "{folder} 中的输出与各分片不同；请为这次运行另给一个目录：--run DIR",
    "coordinator_gave_up": "协调进程已放弃这项承诺：{why}",
    "coordinator_silent": "本分片已完成到检查点 {look}，但协调进程已有 {hours:.2g} 小时没有动静；请启动 "
    "papergate gate TARGET --coordinate DIR --shards N，再运行本命令",
    "shard_gave_up": "分片 {shard} 已放弃：{why}",
    "shards_missing": _shards_missing,
    "shard_ended": "分片 {index}：{why}",
    "shard_absent": "分片 {index}：始终没有出现，{folder} 不存在",
    "shard_behind": "分片 {index}：已完成到检查点 {look}",
    # the folder of the run
    "store_damaged": _store_damaged,
    "store_full": "{file} 无法写入：{reason}；此前保存的 {kept} 个回答都保留；请腾出空间，再运行同样的命令",
    "store_locked": "{folder} 正由另一个进程写入（它持有 {lock}）；请等它结束，或为这次运行另给一个目录",
    "other_run": _other_run,
    "samples_beyond": "{place} 中每道题都有超过 {most} 个样本，只用一部分来判定等于挑选；请去掉 --samples、"
    "--max-samples 和 --protocol vendor，或为新的运行另给一个目录",
    "samples_removed": "{folder}：{problems} 道题缺少较早检查点的样本，却有更晚的样本：记录被删除过，或运行开始时的"
    "检查点不同。请恢复文件；或按开始时的 --samples、--max-samples 和 --golden 续跑；或为新的运行另给一个目录",
    "not_written": "{file} 无法写入：{reason}；请腾出空间",
    "verdict_not_written": "{folder}：结论无法写入：{reason}；已问到的都保留：请腾出空间，再用同样的命令加上 "
    "--run={run}。结论是：{parts[0]}",
    "no_completions": "{folder} 中没有可以判定的输出；请给出一次运行的目录：runs/TIME",
    "no_sample_of_benchmark": "{promise}：这次运行没有其数据集中任何题目的样本",
    "shard_judges_nothing": "{folder} 是一次运行的分片 {shard}，不能单独判定；请合并全部分片："
    "papergate merge RUN .. -o RUN",
    "other_than_stated": "{place} 中的运行与承诺和数据集现在的内容不同：\n  {differences}\n"
    "请给出当时提问所用的文件：--data BENCHMARK=FILE、--targets DIR",
    "samples_unplanned": "{folder} 中有 {count} 个样本，不在每题 {samples} 个样本的计划之内；请给出提问时的 "
    "--samples、--limit 和 --golden，或为新的运行另给一个目录",
    # promises and benchmarks
    "golden_given_before": "{folder}：其结论是对照参照运行 {promise} 得出的；请再次给出那次运行的目录：--golden RUN",
    "golden_of_itself": "{golden} 和 {run} 的第一条输出相同：一次运行及其较早的副本不能作自己的参照；请给出另一次运行",
    "golden_of_one_promise": _golden_of_one_promise,
    "golden_partial": "{folder}：{promise} 只测了一部分（{partial}），不能作参照",
    "golden_prompt_differs": "{folder}：{promise} 提问时的提示词不同（摘要 {digest}，现在 {now}）；请用此版本的 "
    "papergate 重新完成参照运行",
    "golden_text_differs": "{folder}：{promise} 提问时的数据集文本不同（摘要 {digest}，现在 {now}）；"
    "请让两次运行使用同一个文件",
    "golden_lacks_problems": "{folder}：参照运行没有题目 {problem!r}，也没有这次运行的另外 {others} 道题；"
    "请让两次运行使用同一个文件，使题目编号一致",
    "golden_untrue": _golden_untrue,
    "golden_file_changed": "{file} 在得出结论之后被改动",
    "golden_not_of_manifest": lambda values: f"其{_FIELDS[values['name']]}与 {values['file']} 中的不同",
    "golden_not_of_grades": "有 {count} 道题的计数与 {file} 不符，第一道是 {problem}：记录中答对 {correct} 次，"
    "按评分为 {graded} 次",
    "golden_not_of_counts": "其得分为 {stated:.4%}，按计数为 {counted:.4%}",
    "golden_needed": "{promise}：没有公开发表的分数，需以参照运行为准：{source}。请用 papergate 完成该运行，"
    "再给出其目录：--golden RUN。增益的基础模型可在同一会话中测试：--gain-over MODEL",
    "endpoint_of_no_promise": "给出了 {option}，但选中的承诺都与服务无关；请指明目标：-m a100",
    "benchmark_not_fetched": _not_fetched,
    "benchmark_no_file": "{file}：没有这个文件；请给出 {formats}",
    "benchmark_other_count": "{file}：有 {rows} 行，而 {title} 有 {problems} 题；请给出包含全部题目的 {formats}"
    "（快速试跑可用 --limit，但不能通过）",
    "benchmark_other_answers": _other_answers,
    # a bundle
    "bundle_unread": "无法读取：{reason}",
    "bundle_cut_off": "结尾不是证据包的结尾：文件被截断，或是另一种文件",
    "bundle_without_head": "其中没有 {file}：是另一种 zip 文件；请给出 papergate bundle 写出的文件",
    "bundle_head_malformed": "其中的 {file} 不是 papergate 写出的样子",
    "bundle_newer": "其格式为 {format}，此版本的 papergate 只能读 {here}：请用更新的版本验证",
    "bundle_bytes_differ": "从第 {place} 字节起与 papergate 写出的证据包不同：被改动过，或由其他工具打包",
    "bundle_goes_on": "证据包结束后还有 {count} 字节",
    "bundle_list_too_long": "其成员列表有 {size} 字节，papergate 最多读 {most} 字节",
    "bundle_list_outside": "其成员列表位于文件之外：文件被截断，或是拼凑而成",
    "bundle_list_damaged": "其成员列表已损坏",
    "bundle_too_many_members": "其成员超过 {most} 个",
    "bundle_members_too_large": "其成员声称共有 {total} 字节，而文件只有 {length} 字节",
    "bundle_out_of_order": "其成员不是证据包的顺序，或缺少成员",
    "bundle_member_absolute": "成员 {name} 是绝对路径，会写到目录之外",
    "bundle_member_leads_out": "成员 {name} 的路径指向目录之外",
    "bundle_member_link": "成员 {name} 是链接",
    "bundle_member_compressed": "成员 {name} 经过压缩（{packed} 字节，解压后 {size} 字节）。证据包不压缩，papergate "
    "也不解压；请索取 papergate bundle 写出的文件",
    "bundle_member_repeated": "成员 {name} 出现 {times} 次",
    "bundle_member_unknown": "成员 {name} 不属于此版本的 papergate 所打包的文件",
    "bundle_member_too_large": "其中的 {file} 有 {size} 字节，而证据包中的至多 {most} 字节",
    "bundle_sums_differ": _sums_differ,
    "bundle_other_root": _of_report(
        "{report} 引用的根摘要是 {root}，而文件的是 {files}：文件不是报告所说的运行，或该运行后来继续进行过"
    ),
    "root_malformed": "--root {root}：根摘要有 64 位，由 0-9 和 a-f 组成",
    "promise_altered": "承诺 {promise}：{parts[0]}",
    "promise_not_together": "{promise}：其文件不属于同一次运行（{error}）",
    "completions_damaged": lambda values: f"输出与 papergate 写入时不同：{'；'.join(values['damages'])}",
    "completions_unseeded": "{count} 个输出没有写明采样所用的种子",
    "report_malformed": _of_report("{report} 不是 JUnit 报告：{said}"),
    "report_with_document_type": _of_report("{report} 声明了文档类型，JUnit 报告不会这样"),
    "report_without_root": _of_report("{report} 没有引用根摘要；请给出结束这次运行的会话的 JUnit 报告"),
    "report_miscounts": _of_report(
        "{report} 自相矛盾：某个 suite 写明 {name} 为 {stated}，却有 {found} 个 <{tag}> 元素"
    ),
    "report_of_another_promise": _of_report("{report} 中有 {promise} 的结论，证据包中没有"),
    "report_differs": _of_report("{report} 与 {promise} 的记录在 {name} 上不同（其中之一是 {value}）"),
    "report_ends_otherwise": _ends_otherwise,
    "signature_of_no_signer": "{signature} 不是 {signers} 中任何签名人的签名：{said}",
    "signature_of_another": "{signature} 不是 {bundle} 的签名：{said}",
    "ssh_keygen_missing": "无法运行 ssh-keygen（{reason}）；请安装 OpenSSH 8.1 或更高版本",
}
"""By code."""
