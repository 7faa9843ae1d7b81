"""The gateways that many tests share."""

from gatewayserving import cold, warm

__all__ = ["cold", "warm"]
