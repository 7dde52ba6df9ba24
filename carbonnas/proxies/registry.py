"""The plug-in group of the zero-cost proxies; apart from `carbonnas.plugins` because the interface imports torch."""

from __future__ import annotations

from carbon_sources.plugins import PluginGroup
from carbonnas.proxies.proxy import ZeroCostProxy

PROXIES: PluginGroup[ZeroCostProxy] = PluginGroup("carbonnas.proxies", ZeroCostProxy)
