"""When to train and when to score: scheduling policies and the budgets that they keep.

Knows what the grid is like and nothing of what is trained. Importing it costs no torch.
"""

from schedulers.budget import AtLimit, BudgetState, EmissionBudget, Window
from schedulers.decision import Decision, Progress, Reason, ReasonCode, SchedulingContext
from schedulers.errors import BudgetError, SchedulingError
from schedulers.scheduler import Scheduler

__all__ = [
    "AtLimit",
    "BudgetError",
    "BudgetState",
    "Decision",
    "EmissionBudget",
    "Progress",
    "Reason",
    "ReasonCode",
    "Scheduler",
    "SchedulingContext",
    "SchedulingError",
    "Window",
]
