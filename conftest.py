"""The list of fixture modules; no logic."""

pytest_plugins = [
    "fixtures.declaring",
    "fixtures.selection",
    "fixtures.run_folder",
    "fixtures.ends",
    "fixtures.engines",
    "fixtures.workers",
    "fixtures.acceptance",
    "fixtures.deployment",
    "fixtures.interruption",
    "fixtures.secrets",
    "fixtures.summary",
    "fixtures.evidence",  # after the summary, so that its hook is called before: the page quotes the root
    "fixtures.plan",
    "fixtures.recording",
    "fixtures.performance",
]
