"""Which network addresses a connection may lead to, judged after its name was resolved (ARCHITECTURE §6)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

#: where clouds keep the credentials of the machine itself: nobody's business, internal or not
_METADATA = frozenset(
    ip_address(a) for a in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")
)
#: addresses of version 6 that carry one of version 4 in their last 32 bits
_CARRIERS: tuple[IPv6Network, ...] = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"), IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_SITE_LOCAL = ip_network("fec0::/10")


def may_connect(address: str, *, internal: bool) -> bool:
    """Whether a connection may go to this address; `internal` allows those of the house's own networks.

    Link-local, multicast and the metadata addresses of clouds are never allowed.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_may(one, internal=internal) for one in _with_carried(found))


def _with_carried(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, or the one of version 4 it stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.teredo is not None:
        return [address, *address.teredo]
    if address in _SIX_TO_FOUR:
        return [IPv4Address((int(address) >> 80) & 0xFFFFFFFF)]
    if int(address) > 1 and any(address in network for network in _CARRIERS):
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


def _may(address: IPv4Address | IPv6Address, *, internal: bool) -> bool:
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address == IPv4Address("255.255.255.255"):
        return False
    if address.is_global and address not in _SITE_LOCAL:
        return True
    return internal and (address.is_private or address.is_loopback or not address.is_reserved)
