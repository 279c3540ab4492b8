"""What an edit does with clocks that run already: fields of the bodies that may move some, and of their answers."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.fields import BIGGEST, UNSENT, Body

Running = Literal["keep", "move"]
Confirm = Annotated[int, Field(ge=0, le=BIGGEST)]
#: names of the fields below: none of them is a setting
DECIDING = ("running", "confirm")


class Deciding(Body):
    """`running`: what becomes of running clocks: keep what they began with, or move. Left out: 409
    `confirmation_needed` tells how many would move and shows the first. `confirm`: that number, to move them; without
    an edit it moves those kept in an earlier one.
    """

    running: Running = UNSENT
    confirm: Confirm = UNSENT

    def decision(self) -> dict[str, Any]:
        return {"running": self.running, "confirm": self.confirm}


class Moved(BaseModel):
    """`run_id`: the run that moves the clocks, with its items and its report at /runs/{id}."""

    run_id: str | None = None


class Move(BaseModel):
    """`due_before` null: the clock would begin, from when it would have begun. `due_after` null: it would end. The same
    moment twice: its warnings change, or it stands still and would go on by other hours.
    """

    dialog_id: str
    number: int
    metric: str
    status: str
    due_before: str | None
    due_after: str | None


class Preview(BaseModel):
    """`total` clocks of `dialogs` would move, told on the first page. `next`: give it as `after`; null: that is all."""

    items: list[Move]
    total: int | None
    dialogs: int | None
    next: int | None
