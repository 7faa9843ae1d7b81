"""The gateways of `tests/warm`: what the host refuses is refused by them, too."""

from gatewayserving import cold, warm

__all__ = ["cold", "warm"]
