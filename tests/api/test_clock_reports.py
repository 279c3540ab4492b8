"""How late a promise was kept, as reports tell it."""

from domain.commands import Close, Convert, Say, SetStatus
from tests.store.clocks.promises import TFR, age, promised


async def test_what_stood_still_past_its_old_deadline_is_met_and_not_late(desk):
    await desk.online("olha")
    dialog = await desk.opened("c1", topic=await promised(desk, {"metric": "ttc", "target": 900}))
    await desk.do("olha", dialog, Convert())
    await desk.do("olha", dialog, SetStatus("pending"))
    await age(desk, dialog, 5000)
    await desk.do("olha", dialog, Close())
    [met] = (await desk.get("lead", "/reports/sla/tickets", metric="ttc", result="met"))["items"]
    assert (met["dialog_id"], met["late_by"]) == (str(dialog), 0)


async def test_a_broken_promise_is_late_since_it_was_broken(desk):
    await desk.online("olha")
    dialog = await desk.opened("c1", topic=await promised(desk, TFR))
    await age(desk, dialog, 1000)
    await desk.do("olha", dialog, Say("sorry"))
    [late] = (await desk.get("lead", "/reports/sla/tickets", metric="tfr", result="breached"))["items"]
    assert late["dialog_id"] == str(dialog)
    assert 100 <= late["late_by"] < 130
