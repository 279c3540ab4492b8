"""All actions by name."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.actions import clocks, messages, particulars, people, places, readings, systems
from domain.actions.manifests import Manifest

_ROOMS = (places, particulars, clocks, people, messages, readings, systems)
_ALL: dict[str, Manifest] = {action.name: action for room in _ROOMS for action in room.ACTIONS}
#: carried out for a step of another kind, never called by name
INTERNAL = frozenset({"emit"})


def catalogue() -> Mapping[str, Manifest]:
    return MappingProxyType(_ALL)


def callable_actions() -> Mapping[str, Manifest]:
    """What `call:` may name."""
    return {name: action for name, action in _ALL.items() if name not in INTERNAL}
