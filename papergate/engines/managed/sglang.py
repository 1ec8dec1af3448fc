"""SGLang as a server of our own.

Its health route answers 503 until the warm-up request is through. A seed decides draws only with
``--enable-deterministic-inference``, so SEEDS is not declared (checked in version 0.5.23).
"""

from papergate.engines.managed.engine import declare
from papergate.engines.managed.server import Software
from papergate.engines.spec import Ability

SGLANG = Software(
    name="sglang",
    title="SGLang",
    command=("-m", "sglang.launch_server"),
    model_option="--model-path",
    version_route="/server_info",
    sizes={
        "tensor_parallel": ("--tp-size", "--tensor-parallel-size", "--tp"),
        "pipeline_parallel": ("--pp-size", "--pipeline-parallel-size", "--pp"),
        "data_parallel": ("--dp-size", "--data-parallel-size", "--dp"),
    },
    packages=("sglang", "sglang-kernel", "sgl-kernel", "flashinfer-python"),
    remedies={
        "out of memory": "free the device, or lower --mem-fraction-static or --context-length",
        "increase --mem-fraction-static": "free the device, or raise --mem-fraction-static",
        "greater than the derived context_length": "lower --context-length",
        "cannot contain a colon": "name the model without a colon: --served-model-name NAME",
    },
)
SPEC = declare(SGLANG, can={Ability.LOGPROBS, Ability.DEVICES})
