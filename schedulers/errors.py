"""Errors of the schedulers package.

* `SchedulingError`: base class; catch it to catch them all.
    * `BudgetError`: a budget is stated in a way that can't be kept.
"""


class SchedulingError(Exception):
    """Base class of everything that this package raises on purpose."""


class BudgetError(SchedulingError):
    """A budget is stated in a way that can't be kept, or asked about a time it does not cover."""
