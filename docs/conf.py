"""The documentation site: every page of this folder, and the papers beside it. `make site` builds it."""

import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
AT_THE_TOP = {
    "README.md": "index.md",
    "README.zh-CN.md": "zh/index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Papers that stand where a visitor of the project looks for them, and the pages of the site that show them."""

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project, release = _PROJECT["name"], _PROJECT["version"]
extensions = ["myst_parser"]
myst_heading_anchors = 3  # links to headings as they work in a viewer of Markdown
nitpicky = True
html_theme = "furo"
html_title = f"papergate {release}"
html_copy_source = False


def setup(app):
    """Sphinx: let each page show its paper."""
    app.connect("source-read", _read)


def _read(_app, name, source):
    """Put the paper of a page before what the page itself holds, and make links to papers links to pages."""
    shown = {page.removesuffix(".md"): paper for paper, page in AT_THE_TOP.items()}
    up = "../" * (len(PurePosixPath(name).parts) - 1)
    if name in shown:
        text = (ROOT / shown[name]).read_text(encoding="utf-8").replace("](docs/", f"]({up}") + "\n"
        source[0] = _linked(text, "", up) + source[0]
    source[0] = _linked(source[0], f"{up}../", up)


def _linked(text, there, up):
    for paper, page in AT_THE_TOP.items():
        text = text.replace(f"]({there}{paper}", f"]({up}{page}")
    return text
