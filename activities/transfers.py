"""An offer's look at its row: expired when its deadline has passed."""

from sqlalchemy import text
from temporalio import activity

from activities.commands import Ring
from domain import workflow_ids
from domain.commands import OfferLook, OfferSeen
from domain.errors import NotFoundError
from domain.transfers import Offer
from store.engines import Sessions
from store.transactions import Work, transact
from store.transfers import settle_deadline
from store.workflow_runs import note_run

_STARTED = text(
    "UPDATE reactions SET done_at = clock_timestamp() WHERE done_at IS NULL AND"
    " (workflow_id = :me OR (workflow_id = :dialog AND kind = 'transfer_offered'"
    " AND payload ->> 'transfer_id' = :transfer))"
)


class TransferActivities:
    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def look_at_offer(self, look: OfferLook) -> OfferSeen:
        """Expires a passed offer; answers how long there is still to wait by the database's clock."""
        me = workflow_ids.of_transfer(look.transfer_id)

        async def story(work: Work) -> OfferSeen:
            transfer = await settle_deadline(work, look.transfer_id)
            if look.run_id is not None:
                await note_run(work.session, me, look.run_id, dialog_id=transfer.dialog_id)
            await work.session.execute(
                _STARTED,
                {
                    "me": me,
                    "dialog": workflow_ids.of_dialog(transfer.dialog_id),
                    "transfer": str(look.transfer_id),
                },
            )
            if transfer.state != Offer.PENDING:
                return OfferSeen(transfer.state, 0)
            return OfferSeen(transfer.state, max(0.001, (transfer.deadline - work.now).total_seconds()))

        try:
            seen, rings = await transact(self._sessions, story)
        except NotFoundError:
            return OfferSeen("unknown", 0)
        self._ring(rings - {me})
        return seen
