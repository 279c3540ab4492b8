"""Temporal's messages as plain values: what a history says, without the shape it travels in."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import PayloadCodec

from domain.histories import MARKER, UPDATE_ACCEPTED, UPDATE_COMPLETED, Event

_SUFFIX = "_event_attributes"


async def decode(event: HistoryEvent, codec: PayloadCodec | None, *, skips: frozenset[str] = frozenset()) -> Event:
    """Payloads are opened with `codec` where there is one; what it cannot open is named by its encoding.

    Of the kinds in `skips` only the moment is read.
    """
    kind = (event.WhichOneof("attributes") or "").removesuffix(_SUFFIX)
    if kind in skips:
        return Event(event.event_id, moment(event.event_time), kind)
    if codec is not None:
        opened = HistoryEvent()
        opened.CopyFrom(event)
        event = opened
        for payload in list(_payloads_in(event)):
            await _open(payload, codec)
    facts: dict[str, Any] = value_of(getattr(event, kind + _SUFFIX)) if kind else {}
    summary = payload_value(event.user_metadata.summary) if event.user_metadata.HasField("summary") else None
    return Event(
        event.event_id, moment(event.event_time), kind, facts,
        summary if isinstance(summary, str) else None, _update_id(event, kind),
    )  # fmt: skip


def moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def value_of(value: Any) -> Any:
    """JSON-like values: payloads opened, durations in seconds, moments as datetimes, enums by name."""
    match value:
        case Payload():
            return payload_value(value)
        case Payloads():
            return [payload_value(p) for p in value.payloads]
        case Timestamp():
            return moment(value)
        case Duration():
            return value.seconds + value.nanos / 1e9
        case Message():
            return {descriptor.name: _field(descriptor, inner) for descriptor, inner in value.ListFields()}
        case bytes():
            return {"bytes": len(value)}
    return value


def payload_value(payload: Payload) -> Any:
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace")
    if encoding == "binary/null":
        return None
    if encoding.startswith("json/"):
        return _json(payload.data)
    return {"encoding": encoding, "bytes": len(payload.data)}


def _field(descriptor: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): value_of(inner) for key, inner in value.items()}
    if descriptor.is_repeated:
        return [_one(descriptor, inner) for inner in value]
    return _one(descriptor, value)


def _one(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.enum_type is None:
        return value_of(value)
    known = descriptor.enum_type.values_by_number.get(value)
    prefix = "".join("_" + c if c.isupper() else c for c in descriptor.enum_type.name).lstrip("_").upper() + "_"
    return known.name.removeprefix(prefix) if known else value


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except ValueError:
        pass
    try:
        return _clean(json.loads(data))
    except (ValueError, RecursionError):
        return {"encoding": "json/plain", "bytes": len(data)}


def _clean(value: Any) -> Any:
    """What JSON readers allow and writers refuse: lone surrogates, numbers that are none."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_clean(inner) for inner in value]
        case dict():
            return {_clean(key): _clean(inner) for key, inner in value.items()}
    return value


def _update_id(event: HistoryEvent, kind: str) -> str | None:
    """The command that an event belongs to, in Temporal's own words."""
    found = None
    if kind == UPDATE_ACCEPTED:
        found = event.workflow_execution_update_accepted_event_attributes.protocol_instance_id
    elif kind == UPDATE_COMPLETED:
        found = event.workflow_execution_update_completed_event_attributes.meta.update_id
    elif kind == MARKER:
        found = next((m.inbound_update.inbound_update_id for m in event.event_group_markers), None)
    return found or None


def _payloads_in(message: Message) -> Iterator[Payload]:
    if isinstance(message, Payload):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if isinstance(value, Mapping):
            inner = [value[key] for key in value]
        else:
            inner = list(value) if descriptor.is_repeated else [value]
        for one in inner:
            if isinstance(one, Message):
                yield from _payloads_in(one)


async def _open(payload: Payload, codec: PayloadCodec) -> None:
    try:
        opened = await codec.decode([payload])
    except Exception:
        # A key that is gone must not hide the rest of the history.
        return
    if len(opened) == 1:
        payload.CopyFrom(opened[0])
