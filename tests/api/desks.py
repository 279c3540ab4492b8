"""A contact centre for the tests of reading: a stage, with a client of the application for each of its people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert

from api.app import create_app
from api.house import House
from domain.commands import Say, Transfer
from store.engines import Sessions
from store.ids import new_id
from store.sign_ins import digest_of
from store.tables import Token
from tests.store.stage import Stage

V1 = "http://switchboard.test/api/v1"


class Desk(Stage):
    """People of the two teams `support` and `sales`, and clients of theirs by name."""

    def __init__(self, sessions: Sessions, bell: Any) -> None:
        super().__init__(sessions)
        self.app = create_app(House(sessions, bell, secret_key=b"a secret key of the tests"))
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.tokens: dict[str, str] = {}

    async def open(self) -> Desk:
        await self.prepare()
        await self.team("sales")
        await self.add_channel("shop", "sales")
        await self.person("olha", max_dialogs=50)
        await self.person("taras", "sales", max_dialogs=50)
        await self.person("light", role="light_agent")
        await self.person("lead", "support", role="supervisor")
        await self.person("chief", "-", role="supervisor")
        await self.person("engineer", "-", role="ops")
        await self.person("wirer", "-", role="integrator")
        await self.person("boss", "-", role="admin")
        return self

    async def token(self, who: str) -> str:
        if who not in self.tokens:
            self.tokens[who] = f"token {new_id()}"
            row = {"id": new_id(), "user_id": self.id_of(who), "name": "t", "token_hash": digest_of(self.tokens[who])}
            async with self.sessions.begin() as session:
                await session.execute(insert(Token), row)
        return self.tokens[who]

    async def client(self, who: str) -> httpx.AsyncClient:
        if who not in self._clients:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {await self.token(who)}"}
            self._clients[who] = httpx.AsyncClient(transport=transport, base_url=V1, headers=headers)
        return self._clients[who]

    async def get(self, who: str, path: str, expecting: int = 200, **params: Any) -> Any:
        named = {k.rstrip("_"): v for k, v in params.items()}
        answer = await (await self.client(who)).get(path, params=named)
        assert answer.status_code == expecting, f"{answer.status_code}: {answer.text}"
        return answer.json()

    async def listed(self, who: str, **params: Any) -> list[UUID]:
        """Ids of a list of dialogs, as answered."""
        return [UUID(row["id"]) for row in (await self.get(who, "/dialogs", **params))["items"]]

    async def say(self, who: str, dialog: UUID, words: str, mode: str = "reply") -> None:
        await self.do(who, dialog, Say(words, mode))

    async def offer(self, who: str, dialog: UUID, to: str) -> UUID:
        answer = await self.do(who, dialog, Transfer(to_operator=self.id_of(to)))
        return UUID(answer["transfer_id"])

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
