"""What a text has to pass before it becomes a version, and what an active version starts by itself."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from domain.actions.catalogue import catalogue
from domain.definitions.blueprints import expand
from domain.definitions.canonical import canonical_of, sha256_of
from domain.definitions.checking import full_check
from domain.definitions.diagnostics import Diagnostic
from domain.definitions.loading import Loaded
from domain.definitions.worlds import World


def judge(
    loaded: Loaded,
    world: World | None,
    publisher: frozenset[str] | None,
    *,
    time_zones: frozenset[str] | None = None,
    language: str = "en",
) -> list[Diagnostic]:
    """Everything that can be said about a text, its own tests included."""
    found = full_check(loaded, catalogue(), world, publisher, timezones=time_zones)
    return [replace(one, language=language) for one in found]


def is_about_the_installation(diagnostic: Diagnostic) -> bool:
    """E4xx: what it names is not there. Counts when a version becomes active, not before."""
    return diagnostic.code.startswith("E4")


def errors_among(found: Iterable[Diagnostic], *, of_installation: bool | None = None) -> list[Diagnostic]:
    """Errors; only those about the installation, or only the others."""
    return [
        one
        for one in found
        if one.is_error and (of_installation is None or is_about_the_installation(one) == of_installation)
    ]


def expanded(loaded: Loaded, world: World) -> tuple[dict[str, Any], str]:
    """The canonical document and its sha256, an instance of a blueprint in full. Only for what has passed the gate."""
    assert loaded.canonical is not None
    assert loaded.sha256 is not None
    use = loaded.definition.use if loaded.definition else None
    if use is None:
        return loaded.canonical, loaded.sha256
    canonical = canonical_of(expand(loaded.canonical, world.blueprints[(use.blueprint, use.version)]))
    return canonical, sha256_of(canonical)


_MATCHES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "event": lambda trigger: str(trigger["event"]),
    "schedule": lambda trigger: str(trigger["schedule"]["cron"]),
    "webhook": lambda trigger: str(trigger["webhook"]["path"]),
}


def trigger_kinds(canonical: Mapping[str, Any]) -> list[str]:
    kinds = [kind for trigger in canonical.get("triggers") or () for kind in ("manual", *_MATCHES) if kind in trigger]
    return list(dict.fromkeys(kinds))


def automatic_triggers(canonical: Mapping[str, Any]) -> list[dict[str, Any]]:
    """position, kind, match and body of what starts it without a person. A webhook `takes` inputs from its body."""
    found = []
    for position, trigger in enumerate(canonical.get("triggers") or ()):
        for kind, match in _MATCHES.items():
            if kind not in trigger:
                continue
            body = dict(trigger)
            if kind == "webhook":
                given = trigger.get("inputs") or {}
                body["takes"] = [name for name in canonical.get("inputs") or {} if name not in given]
            found.append({"position": position, "kind": kind, "match": match(trigger), "body": body})
    return found


def changes(before: Any, after: Any, path: str = "") -> list[dict[str, Any]]:
    """What differs between two documents, by path into either. Where a JSON pointer would count, it names what has an
    id by that: `/do/greet/with/text`.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [
            one
            for key in keys
            for one in changes(before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}/{_escaped(key)}")
        ]
    if isinstance(before, list) and isinstance(after, list):
        return _list_changes(before, after, path)
    if (before is _ABSENT and after is _ABSENT) or before == after:
        return []
    told: dict[str, Any] = {"path": path or "/", "change": "changed"}
    if before is _ABSENT:
        return [{**told, "change": "added", "after": after}]
    if after is _ABSENT:
        return [{**told, "change": "removed", "before": before}]
    return [{**told, "before": before, "after": after}]


def _list_changes(before: list[Any], after: list[Any], path: str) -> list[dict[str, Any]]:
    old, new = _by_id(before), _by_id(after)
    if old is None or new is None:
        length = max(len(before), len(after))
        padded = [(_at(before, n), _at(after, n)) for n in range(length)]
        return [one for n, (left, right) in enumerate(padded) for one in changes(left, right, f"{path}/{n}")]
    found = []
    for key in [*old, *(k for k in new if k not in old)]:
        found += changes(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}/{_escaped(key)}")
    shared_before = [k for k in old if k in new]
    shared_after = [k for k in new if k in old]
    if shared_before != shared_after:
        found.append({"path": path, "change": "reordered", "before": shared_before, "after": shared_after})
    return found


def _by_id(items: list[Any]) -> dict[str, Any] | None:
    ids = [item.get("id") if isinstance(item, dict) else None for item in items]
    if not ids or any(not isinstance(i, str) for i in ids) or len(set(ids)) < len(ids):
        return {} if not items else None
    return dict(zip(ids, items, strict=True))  # type: ignore[arg-type]


def _at(items: list[Any], n: int) -> Any:
    return items[n] if n < len(items) else _ABSENT


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


_ABSENT: Any = object()
