"""Clients who write and operators who work, whatever dies; and a ledger of what they were promised."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.stack import PASSWORD, TOKEN

OPERATORS = ("olha", "taras", "iryna")


@dataclass
class Ledger:
    """acknowledged: external ids answered 202 or 200. Commands: key → (caller, status, unique text of a note)."""

    acknowledged: set[str] = field(default_factory=set)
    answered: dict[str, tuple[str, int, str | None]] = field(default_factory=dict)
    pending: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    unanswered: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    refused: int = 0
    offers: int = 0


class Operator:
    """One person at work: replies, notes, closes, transfers, accepts."""

    def __init__(self, url: str, name: str, ledger: Ledger, chance: random.Random) -> None:
        self.name, self._ledger, self._chance = name, ledger, chance
        self._http = httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=12)
        self.id = ""

    async def sign_in(self) -> None:
        for _ in range(60):
            try:
                answer = await self._http.post(
                    "/session", json={"email": f"{self.name}@demo.local", "password": PASSWORD}
                )
                if answer.status_code < 300:
                    self._http.headers["X-CSRF-Token"] = answer.json()["csrf"]
                    self.id = (await self._http.get("/me")).json()["id"]
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
        raise TimeoutError(f"{self.name} could not sign in")

    async def go_online(self) -> None:
        await self._put("/operators/me/presence", {"status": "online", "lease": 3600})

    async def _put(self, path: str, body: dict[str, Any]) -> None:
        for _ in range(60):
            try:
                if (await self._http.put(path, json=body)).status_code < 300:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
        raise TimeoutError(path)

    async def get(self, path: str, **params: Any) -> httpx.Response | None:
        try:
            answer = await self._http.get(path, params=params)
        except httpx.HTTPError:
            return None
        return answer if answer.status_code == 200 else None

    async def command(self, method: str, path: str, body: Any = None, note: str | None = None) -> httpx.Response | None:
        """Speak one command under a fresh key and enter into the ledger what was promised."""
        key = uuid.uuid4().hex
        try:
            answer = await self._http.request(method, path, json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError:
            self._ledger.unanswered[key] = (self.name, note)
            return None
        if answer.status_code == 202:
            self._ledger.pending[key] = (self.name, note)
        elif answer.status_code < 300:
            self._ledger.answered[key] = (self.name, answer.status_code, note)
        elif answer.status_code >= 500:
            self._ledger.unanswered[key] = (self.name, note)
        else:
            self._ledger.refused += 1
        return answer

    async def work(self, stop: asyncio.Event, colleagues: list[Operator]) -> None:
        while not stop.is_set():
            await asyncio.sleep(self._chance.uniform(0.05, 0.25))
            offers = await self.get("/transfers", to="me", state="pending")
            for offer in (offers.json()["items"] if offers else [])[:2]:
                if self._chance.random() < 0.6:
                    answer = self._chance.choice(["acceptance", "decline"])
                    await self.command("POST", f"/transfers/{offer['transfer_id']}/{answer}")
            mine = await self.get("/dialogs", operator=self.id, status="open", limit=10)
            if mine is None or not mine.json()["items"]:
                continue
            dialog = self._chance.choice(mine.json()["items"])
            await self._act_on(f"/dialogs/{dialog['id']}", colleagues)

    async def _act_on(self, path: str, colleagues: list[Operator]) -> None:
        dice = self._chance.random()
        if dice < 0.35:
            await self.command("POST", f"{path}/messages", {"text": f"reply {uuid.uuid4().hex}"})
        elif dice < 0.6:
            text = f"note {uuid.uuid4().hex}"
            await self.command("POST", f"{path}/messages", {"text": text, "mode": "note"}, text)
        elif dice < 0.75:
            other = self._chance.choice([c for c in colleagues if c is not self])
            answer = await self.command("POST", f"{path}/transfers", {"to_operator": other.id})
            self._ledger.offers += answer is not None and answer.status_code == 201
        else:
            await self.command("POST", f"{path}/closure")

    async def ask(self, key: str) -> httpx.Response | None:
        try:
            return await self._http.get(f"/commands/{key}")
        except httpx.HTTPError:
            return None

    async def leave(self) -> None:
        await self._http.aclose()


async def clients_write(url: str, ledger: Ledger, stop: asyncio.Event, chance: random.Random, *, people: int) -> None:
    """One client's loop: every message is repeated under its id until somebody acknowledges it."""
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=8) as http:
        while not stop.is_set():
            external_id, who = uuid.uuid4().hex, f"client-{chance.randrange(people)}"
            body = {"external_id": external_id, "from": {"id": who, "name": who}, "text": "hello"}
            while not stop.is_set():
                try:
                    answer = await http.post("/channels/demo/inbound", json=body, headers={"X-Channel-Token": TOKEN})
                    if answer.status_code in (200, 202):
                        ledger.acknowledged.add(external_id)
                        break
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.2)
            await asyncio.sleep(chance.uniform(0.05, 0.3))
