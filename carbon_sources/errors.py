"""Errors of the carbon_sources package.

* `CarbonSourceError`: base class; catch it to catch them all.
    * `TraceError`: a recorded trace can't be read; names the file and the line.
    * `SourceUnavailableError`: a provider did not answer usefully (network, outage, rate limit).
    * `SourceAccessError`: a provider refused the caller (missing or wrong token, plan, zone).
    * `SourceAnswerError`: a provider answered something that its contract does not allow.
    * `UnknownZoneError`: the zone that was asked for does not exist at this provider.
    * `ForecastError`: nothing can be expected from what is known.
    * `PluginError`: a plug-in is unknown, duplicate, broken or of the wrong type.
"""


class CarbonSourceError(Exception):
    """Base class of everything that this package raises on purpose."""


class TraceError(CarbonSourceError):
    """A recorded trace is unusable as it stands; the message names file, line and remedy."""


class SourceUnavailableError(CarbonSourceError):
    """The provider could not be reached or is in an outage; trying again later may help."""


class SourceAccessError(CarbonSourceError):
    """The provider refuses this caller; trying again without a change will not help."""


class SourceAnswerError(CarbonSourceError):
    """The provider answered something outside its contract; no number was taken from it."""


class UnknownZoneError(CarbonSourceError):
    """The provider does not know the zone that was asked for."""


class PluginError(CarbonSourceError):
    """A plug-in is unknown, registered twice, fails to import or has the wrong type."""


class ForecastError(CarbonSourceError):
    """Nothing can be expected from what is known."""
