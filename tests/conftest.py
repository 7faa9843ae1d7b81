"""Plugins of the whole test suite; fixtures live with what they are about."""

pytest_plugins = ["requirement", "servers.fixtures"]
