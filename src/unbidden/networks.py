"""Networks: the one reading of what a user's file calls an address, a network or an autonomous system."""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_or_asn(word: str) -> Network | int:
    """The network of `203.0.113.0/24` or of a single address, the number of `AS64500`. Raises ValueError for anything else."""
    if asn := re.fullmatch(r"(?:AS)?(\d+)", word, re.IGNORECASE):
        return int(asn[1])
    return ipaddress.ip_network(word, strict=False)
