"""What is said: modes, and how far an outgoing message has come."""

from typing import get_args, get_type_hints

from domain.commands import Say
from domain.messages import UNSETTLED, Delivery, Direction, Mode


def test_people_can_say_what_the_modes_name():
    assert set(get_args(get_type_hints(Say)["mode"])) == set(Mode)


def test_a_note_goes_in_no_direction_but_its_own():
    assert set(Direction) - {Direction.IN, Direction.OUT} == {"note"}


def test_only_a_queued_or_sending_message_holds_up_the_next_one():
    assert {d for d in Delivery if d not in UNSETTLED} == {"sent", "delivered", "read", "failed", "unknown"}
