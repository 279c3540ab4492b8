"""The processes that come with the platform."""

from importlib.resources import files


def built_ins() -> list[tuple[str, str]]:
    """(name, YAML text) of each, by name."""
    found = [file for file in files("processes").iterdir() if file.name.endswith(".yaml")]
    return sorted((file.name.removesuffix(".yaml"), file.read_text("utf-8")) for file in found)
