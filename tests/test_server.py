"""How the web process is put together."""

from __future__ import annotations

import pytest

from server import temporal_ui_of
from settings import Settings


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8233/namespaces/default"),
        ({"temporal_ui_port": 9000}, "http://127.0.0.1:9000/namespaces/default"),
        ({"temporal_ui_port": 0}, None),
        ({"temporal_ui_url": "https://temporal.example/ui/"}, "https://temporal.example/ui/namespaces/default"),
        ({"temporal_ui_port": 0, "temporal_ui_url": "http://ui"}, "http://ui/namespaces/default"),
    ],
)
def test_links_into_temporals_ui_lead_to_where_it_is(given: dict[str, object], link: str | None) -> None:
    assert temporal_ui_of(Settings.model_validate({"temporal_namespace": "default", **given})) == link
