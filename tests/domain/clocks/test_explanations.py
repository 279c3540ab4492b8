"""Why a clock is due when it is, in words and as data."""

from datetime import timedelta

import pytest
from hypothesis import given, settings

from domain.clocks import tellings
from domain.clocks.explanations import Reader, leading, ledger, name, why
from domain.clocks.lives import TIMELY
from domain.clocks.policies import Norms
from domain.clocks.reckoning import AIMING
from domain.clocks.words import _WORDS, amount, word
from tests.domain.clocks.playing import play
from tests.domain.clocks.scenes import OFFICE, OLHA, WITH_LUNCH, Scene, metric, when
from tests.domain.clocks.stories import Story, at, stories

HOUR = 3600
NAMES = {OLHA: "Olha"}


def reader(now: str, language: str = "en", zone: str = "") -> Reader:
    return Reader(language, when(now), NAMES.get, zone)


def test_why_is_this_due_at_that_moment() -> None:
    scene = Scene(metric("tfr", 2 * HOUR, alias="First answer"), calendar=WITH_LUNCH).opened("mon 12:20")
    assert why(scene.of("tfr"), reader("mon 13:00")) == (
        "First answer is due Mon 2 Nov 15:20."
        " Promised: 2 h of working time by the calendar office, version 1 (Europe/Kyiv),"
        " as the policy standard, version 3 says."
        " It started Mon 2 Nov 12:20: the dialog was opened — client."
        " Counted: Mon 2 Nov 12:20–13:00, 14:00–15:20 (2 h); 2 h in all."
    )
    assert why(scene.of("tfr"), reader("mon 13:00", "uk")) == (
        "First answer: термін пн 2 лист. 15:20."
        " Обіцяно: 2 год робочого часу за календарем office, версія 1 (Europe/Kyiv),"
        " так визначає політика standard, версія 3."
        " Почався пн 2 лист. 12:20: діалог відкрито — клієнт."
        " Пораховано: пн 2 лист. 12:20–13:00, 14:00–15:20 (2 год); разом 2 год."
    )


def test_what_stood_still_is_told_with_who_did_it() -> None:
    scene = Scene(metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.become("pending", "mon 10:00")
    scene.reopen("tue 12:00")
    told = why(scene.of("ttc"), reader("tue 12:30", zone="Europe/Kyiv"))
    assert "Time to close is due Tue 3 Nov 13:00." in told
    assert "It stood still from Mon 2 Nov 10:00 to Tue 3 Nov 12:00 (the status was set to pending — Olha)." in told
    assert "Counted: Mon 2 Nov 09:00–10:00 (1 h); Tue 3 Nov 12:00–13:00 (1 h); 2 h in all." in told


def test_while_it_stands_still_it_tells_what_is_left() -> None:
    scene = Scene(metric("ttc", 2 * HOUR)).opened("mon 09:00")
    scene.become("resolved", "mon 10:00")
    assert why(scene.of("ttc"), reader("tue 12:30", "uk", "Europe/Kyiv")).startswith(
        "Час до закриття: час зупинено, лишається 1 год."
    )
    assert "Час стояв від пн 2 лист. 10:00 (встановлено статус «вирішений» — Olha)." in why(
        scene.of("ttc"), reader("tue 12:30", "uk", "Europe/Kyiv")
    )


def test_a_new_topic_is_told_with_what_it_changed() -> None:
    scene = Scene(metric("ttc", 8 * HOUR)).opened("mon 09:00")
    scene.promise(metric("ttc", 4 * HOUR, [50]))
    scene.tell("dialog.topic_changed", "mon 10:00")
    told = why(scene.of("ttc"), reader("mon 10:00", zone="Europe/Kyiv"))
    assert (
        "On Mon 2 Nov 10:00 its topic was changed — Olha: the target became 4 h instead of 8 h,"
        " warnings became 50 % instead of none." in told
    )


def test_overdue_ended_and_broken_before_have_their_own_words() -> None:
    scene = Scene(metric("ttc", HOUR)).opened("mon 09:00")
    scene.look("mon 10:30")
    late = why(scene.of("ttc"), reader("mon 10:30", zone="Europe/Kyiv"))
    assert late.startswith("Time to close was due Mon 2 Nov 10:00 and is overdue by 30 min.")
    scene.promise(metric("ttc", 9 * HOUR))
    scene.tell("dialog.topic_changed", "mon 11:00")
    kept = why(scene.of("ttc"), reader("mon 11:00", zone="Europe/Kyiv"))
    assert kept.endswith("An earlier promise was broken Mon 2 Nov 10:00, and that stays.")
    scene.close("mon 12:00")
    ended = why(scene.of("ttc"), reader("mon 18:00", zone="Europe/Kyiv"))
    assert ended.startswith("Time to close was breached: it was due Mon 2 Nov 18:00 and ended Mon 2 Nov 12:00.")


@pytest.mark.parametrize(
    ("language", "met", "dropped"),
    [
        ("en", "Time to close was met Tue 3 Nov 12:00 with 1 h left.",
         "Next response ended Tue 3 Nov 12:00 without a result, with 30 min left."),
        ("uk", "Час до закриття: виконано вт 3 лист. 12:00, лишалося 1 год.",
         "Наступна відповідь: завершено вт 3 лист. 12:00 без результату, лишалося 30 хв."),
    ],
)  # fmt: skip
def test_what_ended_after_standing_still_was_not_due_before_that(language: str, met: str, dropped: str) -> None:
    scene = Scene(metric("ttc", 2 * HOUR), metric("nrt", HOUR)).opened("mon 09:00")
    scene.reply("mon 09:10")
    scene.client("mon 09:30")
    scene.become("pending", "mon 10:00")
    scene.become("resolved", "tue 12:00")
    scene.close("tue 12:00")
    asked = reader("tue 13:00", language, zone="Europe/Kyiv")
    assert why(scene.of("ttc"), asked).startswith(met)
    assert why(scene.of("nrt"), asked).startswith(dropped)
    assert [tellings.told(scene.of(name), asked)["due_at"] for name in ("ttc", "nrt")] == [None, None]


def test_a_time_in_a_status_says_which_one_was_set() -> None:
    scene = Scene(metric("tis", HOUR, status="pending")).opened("mon 09:00")
    scene.become("pending", "mon 10:00")
    assert "It started Mon 2 Nov 10:00: the status was set to pending — Olha." in why(
        scene.of("tis", "pending"), reader("mon 10:10", zone="Europe/Kyiv")
    )


def test_a_norm_says_that_it_is_one() -> None:
    scene = Scene(norms=Norms(accept=90)).opened("mon 09:00", "chat")
    scene.tell("dialog.queued", "mon 09:00", "client")
    told = why(scene.of("accept"), reader("mon 09:00"))
    assert "Promised: 1 min 30 s, every hour counts, as the norm of the team or of the whole house says." in told


def test_of_many_days_the_first_ones_and_the_last_are_told() -> None:
    scene = Scene(metric("ttc", 90 * HOUR), calendar=OFFICE).opened("mon 09:00")
    told = why(scene.of("ttc"), reader("mon 09:00"))
    assert "; 4 more days 36 h; " in told
    assert told.endswith("90 h in all.")


def test_another_year_is_told_and_midnight_ends_a_day() -> None:
    scene = Scene(metric("ttc", 80 * 24 * HOUR)).opened("mon 22:00")
    told = why(scene.of("ttc"), reader("mon 22:00", zone="Europe/Kyiv"))
    assert "is due Thu 21 Jan 2027 22:00." in told
    assert "Mon 2 Nov 22:00–24:00 (2 h)" in told


def test_the_ledger_gives_seconds_and_stretches_of_every_line() -> None:
    scene = Scene(metric("ttc", 8 * HOUR), calendar=WITH_LUNCH).opened("mon 12:00")
    scene.become("pending", "mon 15:00")
    first, second = ledger(scene.of("ttc"), reader("mon 16:00"))
    assert (first.seconds, second.seconds) == (2 * HOUR, 0)
    assert first.counted == ((when("mon 12:00"), when("mon 13:00")), (when("mon 14:00"), when("mon 15:00")))
    assert (second.counted, second.actor, second.words) == ((), "Olha", "the status was set to pending — Olha")


def test_a_clock_without_an_alias_is_called_by_its_metric() -> None:
    scene = Scene(metric("tis", HOUR, status="in_progress")).opened("mon 09:00")
    scene.become("in_progress", "mon 10:00")
    clock = scene.of("tis", "in_progress")
    assert [name(clock, language) for language in ("en", "uk")] == [
        "Time in the status in progress", "Час у статусі «у роботі»",
    ]  # fmt: skip


@pytest.mark.parametrize("fact", sorted({*TIMELY, *AIMING} - {"message.queued", "dialog.closed", "ticket.closed"}))
def test_every_fact_that_may_begin_a_line_has_words(fact: str) -> None:
    assert word(fact, "en", status="open") != word(fact, "uk", status="open")


def test_both_languages_fill_in_the_same_values() -> None:
    def places(text: str) -> set[str]:
        return {part.split("}")[0] for part in text.split("{")[1:]}

    assert [key for key, (en, uk) in _WORDS.items() if places(en) != places(uk)] == []


@pytest.mark.parametrize(
    ("duration", "told"),
    [(timedelta(0), "0 s"), (timedelta(hours=-1), "1 h"), (timedelta(days=2, seconds=61.5), "48 h 1 min 1 s")],
)
def test_amounts_of_time_in_words(duration: timedelta, told: str) -> None:
    assert amount(duration, "en") == told


@settings(max_examples=60, deadline=None)
@given(stories())
def test_what_counted_up_to_the_deadline_is_the_target_and_every_clock_has_its_words(story: Story) -> None:
    clocks, _ = play(story, story.looks)
    now = at(story.base, story.end)
    for clock in clocks:
        for language in ("en", "uk"):
            assert "{" not in why(clock, Reader(language, now))
        counted = sum((b - a for a, b in leading(clock, now)), timedelta())
        if clock.state == "running" and clock.due_at is not None:
            assert counted == timedelta(seconds=clock.target)
        assert counted <= timedelta(seconds=clock.target)
