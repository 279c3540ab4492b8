"""Who may, and over what: audiences, condition trees that compile to SQL, mass options."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag

from domain.definitions.scalars import Key, Natural, Percent, RateText, Shape, Value

MOST_ITEMS = 100_000
MOST_AT_WORK = 50
Op = Literal[
    "eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "contains", "not_contains", "starts_with", "is_empty",
    "is_not_empty", "older_than", "newer_than", "between",
]  # fmt: skip


class Comparison(Shape):
    """`value` is a JSON value or a text with `{{ inputs.x }}`; the ops is_empty and is_not_empty take none."""

    field: Key
    op: Op
    value: Value = None


class AllOf(Shape):
    all: Annotated[tuple["Where", ...], Field(max_length=50)]


class AnyOf(Shape):
    any: Annotated[tuple["Where", ...], Field(min_length=1, max_length=50)]


class Not(Shape):
    not_: "Where" = Field(alias="not")


def _tag(value: Any) -> str | None:
    if isinstance(value, Shape):
        return {Comparison: "where:field", AllOf: "where:all", AnyOf: "where:any", Not: "where:not"}.get(type(value))
    if not isinstance(value, dict):
        return None
    found = [key for key in ("all", "any", "not") if key in value]
    return "where:" + found[0] if found else "where:field"


Where = Annotated[
    Annotated[Comparison, Tag("where:field")]
    | Annotated[AllOf, Tag("where:all")]
    | Annotated[AnyOf, Tag("where:any")]
    | Annotated[Not, Tag("where:not")],
    Discriminator(_tag),
]
for _shape in (AllOf, AnyOf, Not):
    _shape.model_rebuild()


class Selection(Shape):
    """The definition's own guard rail: AND-ed with whatever a launch selects."""

    where: Where | None = None
    order_by: Key | None = None
    limit: Annotated[Natural, Field(le=MOST_ITEMS)] | None = None


class LaunchSelection(Shape):
    """What a launch, or a `run` step, works over."""

    ids: Value = None
    folder: Value = None
    filter: Value = None
    where: Where | None = None
    operator: Value = None
    team: Value = None
    topic: Value = None
    limit: Annotated[Natural, Field(le=MOST_ITEMS)] | None = None


class Audience(Shape):
    """Any of these. `users` are ids or e-mail addresses."""

    roles: tuple[Key, ...] = ()
    teams: tuple[Key, ...] = ()
    users: tuple[Key, ...] = ()


class Permissions(Shape):
    """`run_as` counts for manual launches; others run as `system`, which must then be among `launch.roles`."""

    launch: Audience = Audience()
    view: Audience = Audience()
    run_as: Literal["launcher", "system"] = "launcher"


def _tolerance(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count or value is None else Percent.read(value)


class Mass(Shape):
    """`rate`: per channel kind or key, and `default`. `max_failures`: a count or a share."""

    concurrency: Annotated[Natural, Field(le=MOST_AT_WORK)] = 20
    rate: dict[Key, RateText] = Field(default_factory=dict)
    unique_per: Literal["dialog", "contact"] = "dialog"
    on_error: Literal["continue", "stop"] = "continue"
    max_failures: Annotated[int | Percent | None, PlainValidator(_tolerance, json_schema_input_type=int | Percent)] = (
        None
    )
    on_item_failure: Literal["keep", "undo"] = "keep"
    confirm_above: Annotated[int, Field(strict=True, ge=0)] | None = None
    approval_above: Annotated[int, Field(strict=True, ge=0)] | None = None
