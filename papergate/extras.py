"""What to type for a part that is not installed: another command in a clone than beside an installed wheel."""

from pathlib import Path


def install(extra: str) -> str:
    """The command that installs ``extra``."""
    clone = (Path(__file__).parents[1] / "pyproject.toml").is_file()
    return f"pip install -e '.[{extra}]'" if clone else f"pip install 'papergate[{extra}]'"
