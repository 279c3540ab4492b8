"""The worker process: workflows and activities by name, and the relay."""

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.acts import ActActivities
from activities.batches import BatchActivities
from activities.clocks import ClockActivities
from activities.commands import CommandActivities
from activities.deliveries import DeliveryActivities
from activities.items import ItemActivities
from activities.launches import LaunchActivities
from activities.macros import MacroActivities
from activities.outside import OutsideCalls
from activities.presence import PresenceActivities
from activities.runs import RunActivities
from activities.transfers import TransferActivities
from gateways.assistants import NotConfigured
from gateways.channels.generic import GenericChannel
from gateways.connections import HttpCaller
from logs import configure
from relay.archiver import archive_once
from relay.registering import register_search_attributes
from relay.ringing import Bell
from relay.rounds import Relay
from settings import Settings
from store.engines import Sessions, engine_for, sessions_of
from store.secrets import Vault
from workflows import options
from workflows.clocks import SlaClockWorkflow
from workflows.converting import DATA_CONVERTER
from workflows.dialogs import DialogWorkflow
from workflows.launches import LaunchWorkflow
from workflows.macros import MacroWorkflow
from workflows.mass_runs import MassRunWorkflow
from workflows.presence import PresenceWorkflow
from workflows.probes import ProbeWorkflow
from workflows.processes import ProcessWorkflow
from workflows.transfers import TransferWorkflow

WORKFLOWS = [
    DialogWorkflow, TransferWorkflow, PresenceWorkflow, ProbeWorkflow, MassRunWorkflow, ProcessWorkflow, MacroWorkflow,
    LaunchWorkflow, SlaClockWorkflow,
]  # fmt: skip
#: modules that workflow code uses as they are: values and rules without clock, chance or I/O
PASSED_THROUGH = (
    "domain", "pydantic", "pydantic_core", "jinja2", "markupsafe", "yaml", "workflows.options", "workflows.refusals",
    "workflows.renewals", "workflows.standings", "workflows.strands", "workflows.hosting", "workflows.walking",
)  # fmt: skip
DEPLOYMENT = "switchboard"

log = structlog.get_logger("worker")


def runner() -> SandboxedWorkflowRunner:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def activities_of(sessions: Sessions, bell: Bell, secret_key: bytes = b"") -> list[object]:
    """Every activity, bound to what it needs. `secret_key`: what the secrets of connections are sealed with."""
    calls = OutsideCalls(sessions, HttpCaller(), Vault(secret_key), NotConfigured())
    commands = CommandActivities(sessions, bell.ring)
    deliveries = DeliveryActivities(sessions, {"generic": GenericChannel()}, bell.ring)
    transfers = TransferActivities(sessions, bell.ring)
    presence = PresenceActivities(sessions, bell.ring)
    clocks = ClockActivities(sessions, bell.ring)
    runs = RunActivities(sessions, bell.ring, calls.ask_dry)
    items = ItemActivities(sessions, bell.ring)
    acts = ActActivities(sessions, bell.ring, calls.by_action())
    batches = BatchActivities(sessions, bell.ring, bell.client, calls.ask_dry, options.MASS)
    macros = MacroActivities(sessions, bell.ring)
    launches = LaunchActivities(sessions, bell.ring)
    return [
        commands.apply_command,
        commands.look_at_dialog,
        deliveries.deliver_message,
        deliveries.give_up_delivery,
        deliveries.deliver_for_step,
        transfers.look_at_offer,
        presence.judge_presence,
        clocks.look_at_clocks,
        runs.look_at_run,
        runs.brief_phase,
        runs.walk_dry_phase,
        runs.end_phase,
        runs.advance_run,
        runs.judge_run,
        runs.finish_run,
        batches.run_batch,
        batches.start_items,
        items.begin_item,
        items.look_at_item,
        items.ask_people,
        items.start_sub,
        items.reckon_working_time,
        items.end_item,
        acts.act,
        acts.act_outside,
        acts.prepare_message,
        macros.begin_macro,
        launches.fire_schedule,
    ]


def deployment_of(build_id: str) -> WorkerDeploymentConfig:
    """Runs stay with the build that began them and move on when they continue as new (workflows/renewals.py)."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


def worker_for(
    client: Client,
    queue: str,
    activities: list[object],
    *,
    max_cached_workflows: int = 2000,
    build_id: str | None = None,
) -> Worker:
    """A worker as measured best: small slots, a cache above the live dialogs, a quick hand-over.

    With a `build_id` it takes part in worker versioning and gets work once its version is made the current one.
    """
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=activities,  # type: ignore[arg-type]
        workflow_runner=runner(),
        max_cached_workflows=max_cached_workflows,
        max_concurrent_workflow_tasks=20,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=10),
        deployment_config=deployment_of(build_id) if build_id else None,
    )


async def connect(settings: Settings) -> Client:
    return await Client.connect(**settings.temporal(), data_converter=DATA_CONVERTER)


async def main(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    engine = engine_for(settings.database(), pool_size=settings.database_pool_size)
    sessions = sessions_of(engine)
    client = await _patiently(settings, stop)
    if client is None:
        return
    await register_search_attributes(client)
    bell = Bell(lambda: connect(settings))
    await bell.start()
    activities = activities_of(sessions, bell, settings.secret_key.get_secret_value().encode())
    async with AsyncExitStack() as stack:
        for queue in settings.worker_queues:
            await stack.enter_async_context(
                worker_for(
                    client,
                    queue,
                    activities,
                    max_cached_workflows=settings.max_cached_workflows,
                    build_id=settings.worker_build_id,
                )
            )
        relay = None
        if options.INTERACTIVE in settings.worker_queues:
            url = settings.database().replace("+psycopg", "", 1)
            relay = asyncio.create_task(Relay(sessions, bell, url, lambda: archive(sessions, bell)).run())
        log.info("worker.ready", queues=settings.worker_queues)
        await stop.wait()
        if relay is not None:
            relay.cancel()
            await asyncio.gather(relay, return_exceptions=True)
    await bell.stop()
    await engine.dispose()


async def archive(sessions: Sessions, bell: Bell) -> int:
    """Copy the histories of closed runs; answers how many."""
    return await archive_once(sessions, await bell.client())


async def _patiently(settings: Settings, stop: asyncio.Event) -> Client | None:
    """Temporal may come up after us: wait for it, until told to stop."""
    while not stop.is_set():
        try:
            return await connect(settings)
        except RuntimeError as error:
            log.warning("worker.waits", for_="temporal", error=str(error)[:200])
            await asyncio.sleep(1)
    return None


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    configure(settings.log_format, settings.log_level, "worker")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(main(settings))
