"""What a channel's settings may say: checked when they are chosen, not when a message is on its way."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from domain.errors import InvalidError
from domain.rates import parse_rate

#: of the generic channel: `url` takes the messages, `ask` says that it can be asked about them
KNOWN = ("url", "ask")
LONGEST_URL = 2000


def require_settings(settings: Mapping[str, Any]) -> None:
    """Raises InvalidError for an unknown name, an address nothing can be sent to, or an `ask` that is not yes or no."""
    for name in settings:
        if name not in KNOWN:
            raise InvalidError(f"A channel has no setting {name!r}; known: {', '.join(KNOWN)}.", field="settings")
    if "ask" in settings and not isinstance(settings["ask"], bool):
        raise InvalidError("`ask` is true or false.", field="settings")
    if settings.get("url") is not None:
        _require_url(settings["url"])


def require_rate(rate: str | None) -> None:
    """Raises InvalidError for what is not a rate (`25/s`, `300/m`, `1000/h`)."""
    if rate is None:
        return
    try:
        parse_rate(rate)
    except ValueError as error:
        raise InvalidError(f"rate: {error}", field="rate") from None


def _require_url(url: Any) -> None:
    if not isinstance(url, str) or len(url) > LONGEST_URL:
        raise InvalidError("`url` is an http or https address.", field="settings")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidError("`url` is an http or https address.", field="settings") from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or any(c <= " " for c in url):
        raise InvalidError("`url` is an http or https address with a host and no user.", field="settings")
    try:
        is_link_local = ip_address(host).is_link_local
    except ValueError:
        return
    if is_link_local:
        raise InvalidError("`url` may not name a link-local address.", field="settings")
