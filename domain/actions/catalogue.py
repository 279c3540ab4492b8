"""All actions by name."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.actions.manifests import Manifest

_ALL: dict[str, Manifest] = {}


def catalogue() -> Mapping[str, Manifest]:
    return MappingProxyType(_ALL)
