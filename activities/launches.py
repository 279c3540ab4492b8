"""A firing of a schedule, as one transaction."""

from temporalio import activity

from activities.commands import Ring
from domain.run_launches import FiringLook, FiringSeen
from store import schedules
from store.engines import Sessions
from store.transactions import transact


class LaunchActivities:
    def __init__(self, sessions: Sessions, ring: Ring) -> None:
        self._sessions = sessions
        self._ring = ring

    @activity.defn
    async def fire_schedule(self, look: FiringLook) -> FiringSeen:
        """Launches once per firing; answers whether that run is over."""
        seen, rings = await transact(self._sessions, lambda work: schedules.fire(work, look))
        self._ring(rings - {look.workflow_id})
        return seen
