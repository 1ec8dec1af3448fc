"""Chinese sentences for what a user gives that cannot be: options, files, logs, runs to be read, joined or bundled."""

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


_GRADED = "每行一个 JSON 对象，含标准答案和给出的答案；或 --predictions 接受的日志"
_ATTENTION = "huggingface 引擎的缓存不支持；请用 vLLM 提供这个模型，再用 --endpoint 连接"


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
    # golden answers
    "logprobs_of_stored": "对数概率由服务或本进程中的模型给出；保存的文本没有",
    "golden_answers_of_servers": "参照回答只能取自一个服务：请只给出一个 --endpoint",
    "golden_answers_of_other": "参照回答取自 {golden}，部署的是 {asked}；请为它制作参照回答",
    "golden_answers_missing": "{folder} 中没有 {file}：保存的运行没有对数概率。请在可信平台上制作：papergate "
    "golden make TARGET -o {folder}",
    "golden_answers_confidential": "{deployment}：其数据集不公开，而参照回答含有题目文本",
    "logprobs_untold": "{url} 没有给出指定 token 的对数概率（{reason}）",
    "golden_answers_untold": "参照回答需要能按编号给出 token 以及指定 token 对数概率的服务，如 vLLM（{reason}）；请"
    "在那里制作，或在本进程中用 transformers 制作",
    # logs that are judged
    "own_log_damaged": "{file} 与 papergate 写入时不同：{damage}；这样的地方有 {count} 处。请给出运行的目录，或恢复"
    "该文件",
    "log_of_other_problems": "{log}：其 {problems} 道题中有 {unknown} 道（第一道是 {first}）不在 {source} 中；请给"
    "出一个数据集的日志，以及提问所用的文件：--data {benchmark}=FILE。日志含有全部标准答案时，行号即代表其顺序",
    "log_of_other_golds": "{log}：其 {golds} 个标准答案中有 {other} 个与数据集不同，第一个属于 {first}：其编号属于"
    "另一个文件或另一种顺序；请给出那个文件：--data BENCHMARK=FILE",
    "run_of_no_target": "{folder}：这次运行测的是 {promise}，没有目标文件承诺它；请给出其目标所在的目录：--targets DIR",
    # benchmarks
    "benchmark_of_no_format": "{file}：papergate 不读这种格式；请给出 {formats}",
    "benchmark_unread": "{file}：无法读取：{reason}；请给出 {formats}",
    "benchmark_malformed": "{file}：不是 {kind} 文件：{error}",
    "benchmark_needs_pyarrow": "{file}：读取 parquet 需要 pyarrow；{install}",
    "archive_other_digest": "其 md5 为 {found}，应为 {expected}：是另一个压缩包，或代理返回的网页",
    "archive_not_fetched": "尚未下载",
    "archive_members": "其中有 {count} 个成员名为 {name}，应只有一个",
    "archive_member_large": "{name} 解压后有 {size} 字节，超过读取的上限",
    "archive_large": "超过 {most} 字节，已知的压缩包都没有这么大",
    "benchmark_text_refused": "{source}：这是文本 {variant!r}，不得使用：{why}",
    "benchmark_repeats": "{source}：有题目或编号重复（编号 {ids}）；每个只保留一份",
    "benchmark_own_name": "{file}：数据集 {name!r} 是 papergate 自带的；请为文件改名",
    "benchmark_row_malformed": "{source}：第 {row} 行不是 {title} 的行：{reason}",
    "shots_missing": "{title}：文档所用的工具展示 {shots} 道已解的 {subject!r} 题，这里有 {found} 道；请给出含有 "
    "test/*_test.csv 和 dev/*_dev.csv 的目录：--data {benchmark}=FOLDER",
    # answers that are graded
    "line_too_long": "{place}，第 {line} 行：超过 {most} MiB；每行应为一个 JSON 对象",
    "gold_unread": "{place}：标准答案 {gold!r} 不能按 {kind} 读取；请用 --gold-field 或 --kind 另行指明",
    "gold_missing": "{file}：{problem!r} 没有标准答案；请按编号给出标准答案，例如数据集的文件：--golds FILE.jsonl",
    "answers_unread": f"{{file}}：无法读取（{{reason}}）；可以是：{_GRADED}",
    "answers_none": f"{{place}}：其中没有答案；应为：{_GRADED}",
    "answers_undecoded": f"{{place}}：{{error}}；应为 UTF-8 文本：{_GRADED}",
    "answer_malformed": f"{{place}}：不是 JSON（{{error}}）；应为：{_GRADED}",
    "answer_no_object": f"{{place}}：是 {{kind}}；应为：{_GRADED}",
    "answer_no_text": "{place}：{field!r} 是 {kind}；应为一段文本。请把每个样本单独写成一行",
    "answer_field_twice": "{place}：字段 {field!r} 出现两次；请保留一个",
    "gold_of_two": "{file}，第 {line} 行：{id} 在前面的行中有另一个标准答案；请给每行一个编号",
    "fields_of_log": "{log}：日志有自己的字段；请去掉 --gold-field 和 --answer-field",
    "golds_not_understood": "标准答案无法读取的答案：{times} 个，例如 {gold!r}。只有相同的文本才与之相等。"
    "请只给出数值，例如用 --gold-field 或 --golds",
    "thoughts_all_open": "{times} 个文本都没有结束思考，所以都没有答案。如果文本不含思考，请去掉 --thinks。"
    "如果模型有自己的标记，请给出 --thought-marks",
    # names and numbers of the commands
    "html_no_file": "--html {file} 不是普通文件；请给出新文件的名称：--html FILE",
    "html_not_written": "--html {file} 无法写入：{reason}；请换一个位置",
    "run_named_twice": "同一次运行给出了两次；每次运行只给一次",
    "output_not_written": "{file} 无法写入：{reason}",
    "workers_malformed": "--workers 为 {workers}；请给出从 1 起的数",
    "letters_malformed": "--letters 为 {letters!r}；请给出各选项的字母，每个一次，例如 ABCD",
    "fields_are_one": "{field!r} 既是标准答案的字段，又是给出的答案的字段；请另行指明 --gold-field 或 --answer-field",
    "graders_are_one": "--compare {grader} {grader}：请给出两个不同的评分器",
    "marks_malformed": "--thought-marks 为空或相同；请给出思考的两个标记",
    "grades_not_written": "{file}：无法写入（{reason}）；请用 -o 给出另一个文件",
    "output_is_input": "{file}：输出是正在读取的文件，其内容会丢失；请用 -o 给出另一个文件",
    "output_closed": "标准输出已关闭；请用 -o 给出文件",
    "input_closed": "标准输入已关闭；请给出文件",
    # a result that is judged
    "result_missing": "缺少 {missing}；请给出 JSON 文件，或 --{options}",
    "result_too_large": "--problems 和 --samples 至多为 {most}",
    "tolerance_malformed": "{words!r} 不是这里的容差；请写 '1 problem' 或 '0.5 points'（数目任意）{gain}",
    "result_stated_twice": "同时给出了 {file} 和 --{given}；结果只写一次",
    "counts_twice": "计数只给一次：counts 或 counts_rle",
    "counts_too_many": "counts_rle：超过 {most} 道题；没有这么多题的数据集",
    "references_two": "只给一个参照：ref_percent，或参照运行的 ref_counts",
    "ref_k_malformed": "印出的分数的 ref_k 是一个数：其背后的样本数",
    "ref_k_missing": "ref_counts 需要 ref_k：参照运行中每道题计划的样本数",
    "tolerances_two": "容差二选一：用文字写，或用 tol_fraction 和 delta_fraction",
    "file_unread": "{file} 无法读取：{reason}",
    "result_field_twice": "{file} 不是结果：字段 {field} 出现两次；请保留一个",
    "result_malformed": "{file} 不是结果：{mistakes}；见 papergate judge --help",
    # a plan
    "replicas_alone": "--replicas 需要 --tokens-per-sample 和 --tokens-per-s（一个副本的速度）",
    "reference_without_samples": "--reference {kind} 需要 --paper-samples：分数背后每道题的样本数",
    "plan_out_of_range": "--{option} 为 {value}；可以模拟 1 到 {most}",
    "plan_not_above_zero": "--{option} 为 {value:g}；请给出大于 0 的数",
    # runs
    "runs_none": "{folder} 中没有运行；请给出存放各次运行的目录",
    "run_none": "{folder} 中没有运行；papergate runs list DIR 列出目录中的运行",
    "run_not_there": "{run}：那里没有运行；请给出一次运行的目录，例如 runs/20260131-120000",
    "runs_unread": "{folder} 无法读取：{reason}；请给出存放各次运行的目录",
    "statement_name": "-o {output}：请给出以 .md 或 .pdf 结尾的名称",
    "statement_not_written": "-o {output} 无法写入：{reason}；请换一个位置",
    "signature_alone": "--signature 和 --signers 要一起给出：签名，以及您信任的人",
    # a store
    "repair_of_another_run": "{file}：其第一条记录不是在这个 {manifest} 下写入的：请恢复 {manifest}，或这次运行的记"
    "录；不接收其他运行的记录",
    "repair_failed": "{folder} 无法修复：{reason}；没有任何改动",
    "run_without_manifest": "{folder} 中没有运行：缺少 {file}",
    "store_closed": "{folder} 已经关闭",
    "runs_not_written": "{folder} 无法写入：{error}；请为运行另选一个目录",
    "answerer_changed": "{folder}：运行期间回答者变了，其输出可能来自两者；请开始新的运行：\n{differences}",
    "completions_without_manifest": "{folder} 中有 {completions}，却没有 {manifest}；请恢复它，或移走该目录",
    "manifest_unread": "{file} 无法读取：{mistakes}。是否被编辑过或截断？请从备份恢复，或为这次运行另给一个目录：没"
    "有它，就不知道其回答的含义",
    # engines
    "model_incomplete": "{folder}：目录中缺少 {missing}；请完整复制模型的文件{found}",
    "checkpoint_broken": "{folder}：检查点不完整：{broken}。请重新保存或复制",
    "model_no_folder": "{folder}：没有这个目录；--model 接受权重目录或 hub 编号",
    "settings_unread": "{file}：无法读取：{error}；请恢复模型的这个文件",
    "generation_failed": "生成失败：{kind}: {error}{remedy}",
    "sizes_differ": "{deployment}：{name} 为 {size}，而其启动参数为 {stated}；请改正其中之一",
    "server_of_another_run": "{folder} 中运行着另一个服务：{command}；请另用一个目录",
    "engine_unknown": "{promise}：引擎 {engine!r} 未知；已知的有 {known}",
    "server_file_damaged": "{file} 与 papergate 写入时不同（{why}）：{remedy}，然后删除此文件",
    "run_not_written": "{folder} 无法写入：{reason}；请给出另一个目录：--run DIR",
    "attention_of_its_own": f"{{model}} 自带注意力，{_ATTENTION}",
    "attention_in_some_layers": f"{{model}} 的 {{layers}} 层中只有 {{attending}} 层做注意力；"
    f"其余各层所做的，{_ATTENTION}",
    "attention_unknown": lambda values: f"模型的注意力带有 {'、'.join(values['asked'])}，{_ATTENTION}",
    # logs of tools
    "log_text_unread": "{log}：无法读取：{said}；请给出完整的 UTF-8 文本文件",
    "log_unpacks": "{log}：解压后有 {size:.0f} MiB，文本不会这样大；请先解压",
    "log_missing": "{log}：没有这个文件；请给出输出所在的文件或目录",
    "log_needs_pyarrow": "{log}：读取 parquet 需要 pyarrow；{install}",
    "log_parquet_unread": "{log}：无法读取：{error}；请给出完整的 parquet 文件",
    "log_malformed": "{place}：不是 JSON（{error}）；请给出完整的文件：写它的工具是否中途停止？",
    "log_archive_unread": "{log}：无法读取：{error}。如果日志是完整的，以下任一办法可使其可读：{install}，或 "
    "inspect log convert {log} --to json --output-dir FOLDER",
    "log_of_several_runs": "{folder}：题目 {problem} 同时在 {first} 和 {log} 中，所以这些是几次运行或几个数据集的日"
    "志；请只给出其中要用的那个文件",
    "log_rows_ambiguous": "{log}：各行的提示词有重复，但既不是每道题在原处重复 {repeats} 次，也不是全部题目轮流出现"
    "，因此无法知道某一行属于哪道题；请每行给出一个输出，并带编号",
    "log_is_shard": "{log} 是一次运行的分片 {shard}；请先合并全部分片：papergate merge",
    "sample_malformed": "{place}：样本 {sample} 不是从 0 起的整数；请为每道题的样本编号",
    "row_no_object": "{place}：应为对象，却是 {kind}；请给出输出的文件",
    "row_other_columns": "{place} 的列为 {columns}；请给出 {accepts}",
    "log_of_models": "{log}：含有 {count} 个模型的输出（{models}）；请每个模型给出一个文件",
    "log_without_thoughts": "{log}：没有任何输出以 </think> 或其他已知标记结束思考，所以都没有答案。如果写文件时思"
    "考已被去掉，请说明：--thoughts-stripped 对整个文本评分。如果模型有自己的标记，请写在目标中：thought_marks",
    "log_with_thoughts": "{log}：{count} 个输出中有 {marked} 个含有思考：思考没有被去掉；请去掉 --thoughts-stripped",
    "samples_numbered_from": "{log}：其样本从 {lowest} 开始编号；每道题的样本请从 0 编号",
    "sample_twice": "{log}：{problem} 的样本 {sample} 出现两次；每个只保留一份",
    # workloads
    "prompt_not_made": "无法造出 {tokens} 个 token 的文本（相差 {gap:+}）；请换一个长度或文本",
    "prompts_empty": "{file}：文件中没有文字",
    "prompts_too_few": "{file}：其中有 {found} 段对话适合该负载，需要 {count} 段",
    "answers_uncounted": "输出长度取自记录的回答，但服务没有 /tokenize，无法计数",
    "workload_too_long": "{workload} 需要 {needed} 个 token 的上下文，服务只有 {context}；请用更长的上下文启动服务"
    "，或选择较小的负载（--workload tiny-online）",
    "prompts_unread": "{file}：无法读取：{error}；请给出 UTF-8 文本文件",
    "open_loop_turns": "{workload}：开环不能在两个服务之间轮流；请给出 concurrency",
    "short_request_failed": "{url} 没有回答一个短请求：{error}",
    "proxy_in_the_way": "访问 {url} 要经过代理 {host}，其时间也会计入；请把它写进 NO_PROXY",
    "connection_not_taken": "{url} 不接受连接（{error}）",
    "load_requests_failed": "{workload}：{requests} 个请求中有 {failed} 个失败：{errors}",
    "outputs_unequal": "{prompts} 个提示词中有 {unequal} 个从两个服务得到不同长度的输出；两者都须接受 ignore_eos",
    "clusters_too_few": "只有 {count} 组配对；至少需要 {fewest} 组才能看出其离散程度：请增加请求，或增加重启次数",
    "baseline_lacks": "基线中没有 {test}；其中有 {known}",
    "baseline_without_latencies": "基线中没有单个请求的延迟；请用 --benchmark-json FILE 写出",
    "baseline_other_outputs": "基线的输出有 {stored} 个 token，这次运行为 {seen} 个：无法比较",
    "baseline_differs": "{test} 的基线的 {what} 为 {stored!r}，这次运行为 {seen!r}：无法比较；请重新记录基线",
    "baseline_malformed": "{file}：不是保存的运行（{kind}: {error}）；可以是地址，例如 http://host:8000，或 "
    "--benchmark-json 写出的文件",
    "workload_needs_prompts": "{workload}：其对话在您自己的文件中；请给出：--prompts FILE",
    "workload_no_file": "{workload}：{file}：没有这个文件",
    "workload_malformed": "{file}：无法从此文件读出负载：\n{mistakes}",
    # reports
    "runs_unfinished": "{folder} 中没有已结束的运行；请给出存放各次运行的目录：runs",
    "compare_without_verdict": "{run} 中没有可以比较的结论；请给出已结束的运行的目录：runs/TIME",
    "compare_other_text": "数据集的文本不同：现在是 {now}，之前是 {before}",
    "junit_not_written": "{file} 无法写入：{reason}；请给出另一个文件：--junitxml FILE",
    "page_not_written": "页面无法写入 {run}：{reason}；请腾出空间，或给出另一个目录：--run DIR",
    "page_failed": "没有页面：这是 papergate 自身的错误，请报告（{kind}: {error}）；结论和 JUnit 不依赖它",
    "statement_without_verdict": "{run} 中没有可以陈述的结论；请给出已结束的运行的目录：runs/TIME",
    "pdf_needs_reportlab": "PDF 需要 reportlab：pip install 'papergate[statement]'；Markdown 不需要任何软件包",
    "plan_of_vendor_gain": "在协议 vendor 下，增益的两次运行按原样比较；请用 --protocol paper 规划",
    # addresses and proxies
    "address_with_secrets": "{host!r} 上的端点带有用户名、密码或查询参数；密钥应放在环境变量 {key} 中；端点请写成 "
    "http://host:8000 的形式",
    "address_malformed": "端点 {endpoint!r} 不是地址；请写成 http://host:8000 的形式",
    "key_malformed": "{key} 中有换行或其他不能放进请求头的字符；请只设置密钥本身",
    "proxy_of_another_kind": "环境中的代理属于 {scheme}；访问 https 端点也只用 http:// 代理：请给出一个，或把端点写"
    "进 NO_PROXY",
    "proxy_malformed": "环境中的代理不是地址；请写成 http://user:password@host:3128 的形式",
    "ca_file_unread": "{file}：读不到证书（{error}）；请给出 PEM，即 openssl 写出的格式",
    "trial_request_unanswered": "试探请求：{error}；请查看服务的日志和队列",
    "tokens_uncounted": "{url} 既没有 /tokenize 也没有 usage：无法造出指定长度的提示词",
    # what a promise states
    "reference_samples_missing": "有采样误差的参照需要其背后的样本数；请给出样本数，或把参照当作精确值",
    "reference_out_of_range": "参照为 {score:.1%}；分数在 0 % 和 100 % 之间",
    "reference_of_no_samples": "参照是 {samples} 个样本的平均；至少需要 1 个",
    "golden_asked_otherwise": "参照运行问的是别的内容：{seen}；请用恰好这个数据集的参照运行",
    "rule_out_of_range": "容差为 {tolerance:g}，delta 为 {delta:g}（都是满分的份额）；两者都应至少为 0 且小于 1",
    "rule_without_margin": "容差和 delta 都为 0，任何数目的样本都不能证明；请给出大于 0 的 delta",
    "counts_malformed": "这些计数不可能是结果：{mistakes}",
    "pool_of_gain": "增益没有可以损失的余量；请合并带容差的承诺",
    "options_file_malformed": "选项文件 {file}：{said}",
    "answer_without_field": "{place}，第 {line} 行：{fields} 中没有字段 {field!r}；请用 --gold-field 或 "
    "--answer-field 指明，或用 --golds 按编号给出标准答案",
    "gold_without_id": "{file}，第 {line} 行：字段为 {fields}；需要编号（{ids}）和标准答案（{golds}）",
    "inspect_without_id": "{log}：样本 {sample} 没有编号；请给出 {accepts}",
    "lighteval_without_id": "{place}：其中没有 doc.id 或没有文本；请给出 {accepts}",
    "lm_eval_other_responses": "{place}：其 resps 不是单个请求的文本列表；请给出 {accepts}",
    "log_without_completions": "{log}：其中没有输出；可以是 {accepts}",
    "folder_without_log": "{folder}：其中没有日志；可以是以下文件：{accepted}",
    "log_of_other_shape": "{log}：不是 {tool} 写出的样子（{kind}: {error}）；可以是 {accepts}",
    "log_other_finish": "{problem}：结束状态 {finish!r} 不在 {known} 之中",
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
