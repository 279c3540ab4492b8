"""Search attributes by which ops find runs; registered on whatever Temporal we are given (DECISIONS 12)."""

from datetime import timedelta

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

NAMES = ("DialogId", "Team", "Operator", "Definition", "RunKind", "Outcome")
log = structlog.get_logger("worker")


async def register_search_attributes(client: Client) -> None:
    """Add what is missing. Where we may not (Temporal Cloud), say which names an administrator must add."""
    wait = timedelta(seconds=10)
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=wait
        )
        missing = [name for name in NAMES if name not in known.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes=dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
                ),
                timeout=wait,
            )
            log.info("search_attributes.added", names=missing)
    except RPCError as error:
        if error.status != RPCStatusCode.ALREADY_EXISTS:
            log.warning("search_attributes.unknown", needed=NAMES, error=str(error)[:200])
