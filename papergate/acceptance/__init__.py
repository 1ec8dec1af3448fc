"""The whole flow for one promise: ask, grade while answers come, estimate, judge; ask again until it is decided."""

from papergate.acceptance.flow import accept, manifest_of, replay, requests_of
from papergate.acceptance.judging import assess, counts_of, graded
from papergate.acceptance.predictions import refuse_other_golds, with_ids_of
from papergate.acceptance.records import Acceptance, Case, Receipt, Settings
from papergate.acceptance.terms import ProtocolName, prompt_digest, reference_of, rule_of, sampling_of

__all__ = [
    "Acceptance",
    "Case",
    "ProtocolName",
    "Receipt",
    "Settings",
    "accept",
    "assess",
    "counts_of",
    "graded",
    "manifest_of",
    "prompt_digest",
    "reference_of",
    "refuse_other_golds",
    "replay",
    "requests_of",
    "rule_of",
    "sampling_of",
    "with_ids_of",
]
