"""Gaussian processes and the hypervolume that a training is expected to add, by BoTorch; only imported when it is chosen."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective import logei
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.exceptions.errors import ModelFittingError
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms import Normalize, Standardize
from botorch.sampling.normal import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from botorch.utils.multi_objective.pareto import is_non_dominated
from botorch.utils.sampling import manual_seed
from gpytorch.mlls import ExactMarginalLogLikelihood
from numpy.typing import NDArray
from torch import Tensor

from carbonnas.strategies.normal_scores import normal_scores
from carbonnas.strategies.surrogate import Surrogate

Array = NDArray[np.float64]

# Otherwise BoTorch compiles a kernel when it is first asked: for a minute in the middle of a search, with results that differ in their last
# bits from those of a machine without a compiler. A kill meanwhile would leave a lock for which every later search waits for ever.
logei._load_attempted = True  # noqa: SLF001 - it has no setting for that

_SAMPLES = 64
"""Draws from the processes over which the improvement is averaged."""


class HypervolumeSurrogate(Surrogate):
    """Logarithm of the hypervolume by which a training is expected to extend the front; with one objective, of the improvement on the best.

    Each objective has a Gaussian process of its own that learns the ranks of the results as normal scores, so that a network which
    hardly learns at all is a bad one and not an outlier. Networks that wait for their result are counted on.

    Daulton et al. 2021, "Parallel Bayesian Optimization of Multiple Noisy Objectives with Expected Hypervolume Improvement"; Ament et al. 2023,
    "Unexpected Improvements to Expected Improvement for Bayesian Optimization".

    Args:
        features: Shape (n + k, features), of n networks with a result and k that failed, which count as the worst.
        vectors: Shape (n, objectives), larger is better, n at least 2.
        seed: Decides the draws, 0 to 2**32 - 1.
    """

    def __init__(self, features: Array, vectors: Array, *, seed: int) -> None:
        failed = np.tile(vectors.min(axis=0), (len(features) - len(vectors), 1))
        targets = np.column_stack([normal_scores(column) for column in np.vstack([vectors, failed]).T])
        self._seed = seed
        self._inputs, self._targets = torch.tensor(features), torch.tensor(targets)
        width = targets.shape[1]
        with _alone(seed):
            self._model = SingleTaskGP(
                self._inputs,
                self._targets,
                input_transform=Normalize(features.shape[1]),
                outcome_transform=Standardize(width),
            )
            # Where no fit converges the processes keep what is most likely before any result.
            with contextlib.suppress(ModelFittingError):
                fit_gpytorch_mll(ExactMarginalLogLikelihood(self._model.likelihood, self._model))
            self._model.eval()

    def merits(self, pool: Array, waiting: Array) -> Array:
        """Return the logarithms; a network that promises nothing has a very negative one."""
        counted = torch.tensor(waiting) if len(waiting) else None
        with _alone(self._seed), torch.no_grad():
            found: Tensor = self._acquisition(counted)(torch.tensor(pool)[:, None])
        return np.asarray(np.nan_to_num(found.numpy()))

    def _acquisition(self, waiting: Tensor | None) -> AcquisitionFunction:
        sampler = SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=self._seed)
        shared = {"sampler": sampler, "prune_baseline": True, "X_pending": waiting}
        if self._targets.shape[1] == 1:
            return qLogNoisyExpectedImprovement(self._model, self._inputs, **shared)
        reference = infer_reference_point(self._targets[is_non_dominated(self._targets)])
        return qLogNoisyExpectedHypervolumeImprovement(self._model, reference, self._inputs, **shared)


@contextlib.contextmanager
def _alone(seed: int) -> Iterator[None]:
    """Leave torch's global generator as it was, and keep remarks of the libraries on their numerics to themselves."""
    with warnings.catch_warnings(), manual_seed(seed):
        warnings.simplefilter("ignore")
        yield
