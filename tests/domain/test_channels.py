"""A channel's settings are refused when chosen, not discovered when a reply fails."""

import pytest

from domain.channels import require_settings
from domain.errors import InvalidError


@pytest.mark.parametrize(
    "settings", [{}, {"url": None}, {"url": "http://127.0.0.1:9000/in"}, {"url": "https://example.org", "ask": True}]
)
def test_what_can_be_delivered_to_is_taken(settings: dict[str, object]) -> None:
    require_settings(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"aks": True}, {"ask": "yes"}, {"url": 5}, {"url": "ftp://x"}, {"url": "http://"}, {"url": "http://[::1"},
        {"url": "http://x:99999/"}, {"url": "http://user@host/"}, {"url": "http://169.254.169.254/latest"},
        {"url": "http://[fe80::1]/"}, {"url": "http://a b/"}, {"url": "http://x/" + "y" * 3000},
    ],
)  # fmt: skip
def test_what_cannot_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        require_settings(settings)
