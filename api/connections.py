"""Connections to outside systems as settings. Needs the right connections.manage."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from api.changes import Change, changing
from api.fields import UNSENT, Body, Key, KeyInPath, Name, Storable
from api.house import Reading
from api.viewers import needs
from domain.connections import LONGEST_TIMEOUT
from domain.permissions import Permission
from store import connections
from store.transactions import Work

router = APIRouter(prefix="/connections", tags=["connections"])
MAY = Depends(needs(Permission.CONNECTIONS_MANAGE))
Changing = Annotated[Change, Depends(changing(Permission.CONNECTIONS_MANAGE))]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
Short = Annotated[str, Field(min_length=1, max_length=200), Storable]
Path = Annotated[str, Field(min_length=1, max_length=500), Storable]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Names = Annotated[list[Short], Field(max_length=50)]
Timeout = Annotated[int, Field(ge=1, le=LONGEST_TIMEOUT)]


class Auth(Body):
    """`secret` is the name of a stored secret. `user` of basic; `name`: of the header or the query parameter."""

    kind: Literal["none", "bearer", "basic", "header", "query"] = "none"
    secret: SecretName | None = None
    user: Short | None = None
    name: Short | None = None


class Rule(Body):
    """Paths may hold `*` (anything but /) and `**` (anything)."""

    methods: Annotated[list[Method], Field(min_length=1, max_length=6)]
    paths: Annotated[list[Path], Field(min_length=1, max_length=100)]


Url = Annotated[str, Field(min_length=1, max_length=2000), Storable]
Rules = Annotated[list[Rule], Field(max_length=50)]
Headers = Annotated[
    dict[Short, Annotated[str, Field(max_length=2000), Storable]],
    Field(max_length=50, json_schema_extra={"propertyNames": {"minLength": 1, "maxLength": 200}}),
]


class Connection(BaseModel):
    """`timeout` in seconds; `internal`: may lie in a private network; `safe_get`: GET may be called in a dry run;
    `keep_headers` of an answer are kept; `redact`: names whose values are hidden.
    """

    key: str
    name: str
    base_url: str
    auth: dict[str, Any]
    allow: list[dict[str, Any]]
    headers: dict[str, str]
    keep_headers: list[str]
    redact: list[str]
    timeout: int
    internal: bool
    safe_get: bool
    active: bool
    created_at: str


class Connections(BaseModel):
    items: list[Connection]


class NewConnection(Body):
    key: Key
    name: Name
    base_url: Url
    auth: Auth = Field(default_factory=Auth)
    allow: Rules = Field(default_factory=list)
    headers: Headers = Field(default_factory=dict)
    keep_headers: Names = Field(default_factory=list)
    redact: Names = Field(default_factory=list)
    timeout: Timeout = 10
    internal: bool = False
    safe_get: bool = False
    active: bool = True


class ConnectionChange(Body):
    name: Name = UNSENT
    base_url: Url = UNSENT
    auth: Auth = UNSENT
    allow: Rules = UNSENT
    headers: Headers = UNSENT
    keep_headers: Names = UNSENT
    redact: Names = UNSENT
    timeout: Timeout = UNSENT
    internal: bool = UNSENT
    safe_get: bool = UNSENT
    active: bool = UNSENT


def _plain(body: Body, *, only_given: bool) -> dict[str, Any]:
    given = body.given() if only_given else body.model_dump()
    if given.get("auth"):
        given["auth"] = {name: value for name, value in given["auth"].items() if value is not None}
        given["auth"].setdefault("kind", "none")
    return given


@router.get("", dependencies=[MAY])
async def list_connections(session: Reading) -> Connections:
    return Connections.model_validate({"items": await connections.all_connections(session)})


@router.get("/{key}", dependencies=[MAY])
async def read_connection(key: KeyInPath, session: Reading) -> Connection:
    return Connection(**await connections.get_connection(session, key))


@router.post("", status_code=201)
async def add_connection(body: NewConnection, change: Changing) -> Connection:
    async def story(work: Work) -> dict[str, Any]:
        return await connections.add(work, _plain(body, only_given=False))

    return Connection(**await change.make(story))


@router.patch("/{key}")
async def change_connection(key: KeyInPath, body: ConnectionChange, change: Changing) -> Connection:
    async def story(work: Work) -> dict[str, Any]:
        return await connections.change(work, key, _plain(body, only_given=True))

    return Connection(**await change.make(story))


@router.delete("/{key}", status_code=204)
async def delete_connection(key: KeyInPath, change: Changing) -> None:
    """Refused while an active definition may call it; `definitions` names them."""

    async def story(work: Work) -> dict[str, Any]:
        return await connections.remove(work, key)

    await change.make(story)
