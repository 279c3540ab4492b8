"""The shapes as a tree to walk along: which keys an object may have, in which order, and what stands under them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from domain.definitions.places import Path
from domain.definitions.scalars import Shape
from domain.definitions.shapes import Definition
from domain.definitions.steps import kinds_in


@dataclass(frozen=True, slots=True)
class Form:
    """What a value may be: an object of `shape`, one of tagged `shapes`, a list or a map of `member`, or a plain value.

    `options` are the texts a plain value is chosen from.
    """

    shape: type[Shape] | None = None
    shapes: tuple[tuple[str, type[Shape]], ...] = ()
    listed: "Callable[[], Form] | None" = None
    mapped: "Callable[[], Form] | None" = None
    options: tuple[str, ...] = ()

    @property
    def is_step(self) -> bool:
        return any(tag == "step:call" for tag, _ in self.shapes)


PLAIN = Form()
DOCUMENT = Form(shape=Definition)


@cache
def fields_of(shape: type[Shape]) -> dict[str, Form]:
    """Key → what stands under it, in the order of the schema."""
    return {field.alias or name: form_of(field.annotation) for name, field in shape.model_fields.items()}


def form_of(annotation: Any) -> Form:
    origin = get_origin(annotation)
    if origin is Annotated:
        return form_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return _union(get_args(annotation))
    if origin is tuple:
        member = get_args(annotation)[0]
        return Form(listed=lambda: form_of(member))
    if origin is dict:
        held = get_args(annotation)[1]
        return Form(mapped=lambda: form_of(held))
    if origin is Literal:
        return Form(options=tuple(o for o in get_args(annotation) if isinstance(o, str)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Form(shape=annotation)  # type: ignore[arg-type]
    return PLAIN


def _union(members: tuple[Any, ...]) -> Form:
    tagged = [
        (next(m.tag for m in member.__metadata__ if isinstance(m, Tag)), get_args(member)[0])
        for member in members
        if get_origin(member) is Annotated and any(isinstance(m, Tag) for m in member.__metadata__)
    ]
    if tagged:
        return Form(shapes=tuple(tagged))
    forms = [form_of(member) for member in members if member is not type(None)]
    telling = [form for form in forms if form != PLAIN]
    return telling[0] if telling else PLAIN


def shape_for(form: Form, value: Any) -> type[Shape] | None:
    """The shape an object is to have; None where its tag cannot be told."""
    if form.shape is not None or not isinstance(value, dict):
        return form.shape
    tags = {tag.partition(":")[2]: shape for tag, shape in form.shapes}
    found = kinds_in(value) if "call" in tags else [key for key in tags if key in value]
    if len(found) == 1:
        return tags[found[0]]
    return tags.get("field") if not found else None


def below(form: Form, value: Any, part: str | int) -> Form:
    """What stands under a key or index of a value."""
    if isinstance(part, int):
        return form.listed() if form.listed else PLAIN
    if form.mapped:
        return form.mapped()
    shape = shape_for(form, value)
    return fields_of(shape).get(part, PLAIN) if shape else PLAIN


def form_at(document: Any, path: Path) -> Form:
    """The form of what stands at a path of a document."""
    form, value = DOCUMENT, document
    for part in path:
        form = below(form, value, part)
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
    return form


def ordered(
    value: Any, form: Form = DOCUMENT, path: Path = (), on_step: Callable[[dict[str, Any]], None] | None = None
) -> Any:
    """The value with its objects' keys in the order of the schema. `on_step` is called for each step, outer first."""
    if isinstance(value, list):
        member = form.listed() if form.listed else PLAIN
        return [ordered(one, member, (*path, n), on_step) for n, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if form.mapped:
        member = form.mapped()
        return {key: ordered(one, member, (*path, key), on_step) for key, one in value.items()}
    shape = shape_for(form, value)
    if shape is None:
        return value
    fields = fields_of(shape)
    if on_step is not None and form.is_step:
        value = dict(value)
        on_step(value)
    known = {key: ordered(value[key], fields[key], (*path, key), on_step) for key in fields if key in value}
    return known | {key: one for key, one in value.items() if key not in fields}
