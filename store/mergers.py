"""Two cards turn out to be one person: addresses, dialogs and tags go over; taken back while untouched (B9)."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.errors import ConflictError, NotFoundError
from domain.events import Fact
from domain.permissions import Viewer
from store.contacts import require_seen
from store.tables import Contact
from store.transactions import Work

_IDENTITIES = text("UPDATE identities SET contact_id = :into WHERE contact_id = :from RETURNING id")
_DIALOGS = text("UPDATE dialogs SET contact_id = :into WHERE contact_id = :from RETURNING id")
_LOCK = text("SELECT id FROM identities WHERE contact_id = ANY(:contacts) ORDER BY id FOR NO KEY UPDATE")
_LOCK_DIALOGS = text("SELECT id FROM dialogs WHERE contact_id = ANY(:contacts) ORDER BY id FOR NO KEY UPDATE")
_STILL = text("""
SELECT (SELECT count(*) FROM identities WHERE id = ANY(:identities) AND contact_id = :into) AS identities,
       (SELECT count(*) FROM dialogs WHERE id = ANY(:dialogs) AND contact_id = :into) AS dialogs
""")
_BACK = {
    "identities": text("UPDATE identities SET contact_id = :from WHERE id = ANY(:ids)"),
    "dialogs": text("UPDATE dialogs SET contact_id = :from WHERE id = ANY(:ids)"),
}


async def merge(work: Work, viewer: Viewer, into: UUID, gone: UUID) -> dict[str, Any]:
    """Everything of the contact `gone` becomes `into`'s; its empty card stays, so that it can be taken back.

    Answers how to. Raises NotFoundError, ConflictError for a contact and itself.
    """
    if into == gone:
        raise ConflictError("A contact cannot be merged with itself.")
    kept, left = await _lock(work, viewer, into, gone)
    before = {"tags": list(kept.tags), **{n: getattr(kept, n) for n in ("name", "phone", "email", "external_id")}}
    given = {"into": into, "from": gone}
    identities = [str(i) for i in await work.session.scalars(_IDENTITIES, given)]
    dialogs = [str(i) for i in await work.session.scalars(_DIALOGS, given)]
    kept.tags = sorted({*kept.tags, *left.tags})
    for name in ("name", "phone", "email", "external_id"):
        setattr(kept, name, getattr(kept, name) or getattr(left, name))
    kept.fields = {**left.fields, **kept.fields}
    await work.session.flush()
    work.record(
        Fact.CONTACT_MERGED, contact_id=into, merged=str(gone), identities=len(identities), dialogs=len(dialogs)
    )
    after = {"tags": list(kept.tags), **{n: getattr(kept, n) for n in ("name", "phone", "email", "external_id")}}
    return {
        "into": str(into), "from": str(gone), "identities": identities, "dialogs": dialogs, "before": before,
        "after": after,
    }  # fmt: skip


async def part(work: Work, viewer: Viewer, merged: dict[str, Any]) -> bool:
    """Take a merger back; False where something of it has been touched since. Raises NotFoundError."""
    into, gone = UUID(merged["into"]), UUID(merged["from"])
    kept, _ = await _lock(work, viewer, into, gone)
    ids = {name: [UUID(i) for i in merged[name]] for name in _BACK}
    still = (await work.session.execute(_STILL, {"into": into, **ids})).one()
    untouched = all(getattr(kept, name) == value for name, value in merged["after"].items())
    if not untouched or still.identities != len(ids["identities"]) or still.dialogs != len(ids["dialogs"]):
        return False
    for name, statement in _BACK.items():
        await work.session.execute(statement, {"from": gone, "ids": ids[name]})
    for name, value in merged["before"].items():
        setattr(kept, name, value)
    await work.session.flush()
    work.record(Fact.CONTACT_UNMERGED, contact_id=into, parted=str(gone))
    return True


async def _lock(work: Work, viewer: Viewer, into: UUID, gone: UUID) -> tuple[Contact, Contact]:
    """Addresses first, then dialogs, then the cards: as an arriving message takes them."""
    for contact in (into, gone):
        await require_seen(work.session, viewer, contact)
    both = {"contacts": sorted([into, gone])}
    await work.session.execute(_LOCK, both)
    await work.session.execute(_LOCK_DIALOGS, both)
    found = {
        i: await work.session.get(Contact, i, with_for_update={"key_share": True}, populate_existing=True)
        for i in both["contacts"]
    }
    kept, left = found[into], found[gone]
    if kept is None or left is None:
        raise NotFoundError("There is no such contact.")
    return kept, left
