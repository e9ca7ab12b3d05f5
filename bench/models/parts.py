"""The allowed parts of a stored model in addition to the classes in its definition: parts that only compute.

A file declares which of these it has, with their plain values. None of them, given plain values, runs text,
opens a file or an address, or calls a function of the file's choice.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

_SKLEARN = {
    "sklearn._loss": "Interval IdentityLink LogLink LogitLink HalfLogitLink MultinomialLogit "
    "HalfBinomialLoss HalfMultinomialLoss ExponentialLoss",
    "sklearn.calibration": "CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration",
    "sklearn.cluster": "BisectingKMeans KMeans MiniBatchKMeans FeatureAgglomeration",
    "sklearn.compose": "ColumnTransformer _RemainderColsList",
    "sklearn.decomposition": "FactorAnalysis FastICA IncrementalPCA LatentDirichletAllocation MiniBatchNMF NMF PCA "
    "SparsePCA TruncatedSVD",
    "sklearn.discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
    "sklearn.dummy": "DummyClassifier DummyRegressor",
    "sklearn.ensemble": "AdaBoostClassifier BaggingClassifier ExtraTreesClassifier GradientBoostingClassifier "
    "HistGradientBoostingClassifier RandomForestClassifier RandomTreesEmbedding StackingClassifier VotingClassifier "
    "_BinMapper TreePredictor",
    "sklearn.feature_extraction": "CountVectorizer DictVectorizer FeatureHasher HashingVectorizer TfidfTransformer "
    "TfidfVectorizer",
    "sklearn.feature_selection": "GenericUnivariateSelect RFE RFECV SelectFdr SelectFpr SelectFromModel SelectFwe "
    "SelectKBest SelectPercentile SequentialFeatureSelector VarianceThreshold",
    "sklearn.frozen": "FrozenEstimator",
    "sklearn.gaussian_process": "GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace ConstantKernel "
    "DotProduct Matern Product RBF RationalQuadratic Sum WhiteKernel",
    "sklearn.impute": "MissingIndicator SimpleImputer",
    "sklearn.isotonic": "IsotonicRegression",
    "sklearn.kernel_approximation": "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler",
    "sklearn.linear_model": "BayesianRidge ElasticNet LinearRegression LogisticRegression LogisticRegressionCV "
    "PassiveAggressiveClassifier Perceptron Ridge RidgeCV RidgeClassifier RidgeClassifierCV SGDClassifier",
    "sklearn.metrics": "EuclideanDistance EuclideanDistance64 ManhattanDistance64 MinkowskiDistance64",
    "sklearn.mixture": "BayesianGaussianMixture GaussianMixture",
    "sklearn.model_selection": "FixedThresholdClassifier GridSearchCV RandomizedSearchCV TunedThresholdClassifierCV "
    "StratifiedKFold StratifiedGroupKFold GroupKFold KFold",
    "sklearn.multiclass": "OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor",
    "sklearn.multioutput": "ClassifierChain MultiOutputClassifier",
    "sklearn.naive_bayes": "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB",
    "sklearn.neighbors": "BallTree BallTree64 KDTree KDTree64 KNeighborsClassifier NearestCentroid NearestNeighbors "
    "NeighborhoodComponentsAnalysis RadiusNeighborsClassifier",
    "sklearn.neural_network": "AdamOptimizer BernoulliRBM MLPClassifier SGDOptimizer",
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.preprocessing": "Binarizer FunctionTransformer KBinsDiscretizer LabelBinarizer LabelEncoder MaxAbsScaler "
    "MinMaxScaler MultiLabelBinarizer Normalizer OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer "
    "QuantileTransformer RobustScaler SplineTransformer StandardScaler TargetEncoder",
    "sklearn.random_projection": "GaussianRandomProjection SparseRandomProjection",
    "sklearn.semi_supervised": "LabelPropagation LabelSpreading SelfTrainingClassifier",
    "sklearn.svm": "LinearSVC NuSVC SVC",
    "sklearn.tree": "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor Tree",
}
_SKLEARN_NAMES = {package: frozenset(names.split()) for package, names in _SKLEARN.items()}

_OWN = frozenset(
    {
        "bench.features.cues.CueFeatures",
        "bench.features.encoder.EncoderFeatures",
        "bench.features.pairs.PairFeatures",
        "bench.features.texts.Texts",
        "bench.features.tfidf.Tfidf",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
    }
)

MAPPINGS = frozenset(
    {
        "builtins.dict",
        "collections.Counter",
        "collections.OrderedDict",
        "sklearn.utils._bunch.Bunch",
    }
)
"""Mappings that are created empty and then filled."""

SCALARS = frozenset(
    f"numpy.{kind.__name__}"
    for kind in np.sctypeDict.values()
    if issubclass(kind, np.number | np.bool_ | np.character | np.datetime64 | np.timedelta64)
)
"""NumPy's types of numbers, text and times."""

TYPES = (
    frozenset(f"builtins.{name}" for name in ("bool", "bytes", "complex", "dict", "float", "int", "list", "set", "str"))
    | {"builtins.tuple", "builtins.NoneType", "collections.Counter", "collections.OrderedDict"}
    | SCALARS
)
"""Types that are allowed as values."""

KEYS = frozenset({"builtins.bool", "builtins.float", "builtins.int", "builtins.str"}) | SCALARS
"""Types of a mapping's keys, created from the key's text."""

CONSTRUCTED = frozenset({"builtins.complex", "builtins.frozenset", "builtins.range"})
"""Plain values that are created from their parts."""

LOSSES = frozenset(
    {
        "sklearn._loss._loss.CyExponentialLoss",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn.linear_model._sgd_fast.EpsilonInsensitive",
        "sklearn.linear_model._sgd_fast.Hinge",
        "sklearn.linear_model._sgd_fast.ModifiedHuber",
        "sklearn.linear_model._sgd_fast.SquaredEpsilonInsensitive",
        "sklearn.linear_model._sgd_fast.SquaredHinge",
    }
)
"""Loss functions of scikit-learn in C, created from numbers."""

SPARSE = frozenset(
    f"scipy.sparse._{form}.{form}_{kind}"
    for form in ("bsr", "coo", "csc", "csr", "dia")
    for kind in ("array", "matrix")
)
"""SciPy's sparse matrices."""

BIT_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
"""NumPy's sources of random numbers."""

_SCORES = frozenset(f"sklearn.feature_selection._univariate_selection.{name}" for name in ("chi2", "f_classif")) | {
    "sklearn.feature_selection._mutual_info.mutual_info_classif"
}
_UFUNC_MODULES = (
    "numpy",
    "numpy._core._multiarray_umath",
    "scipy.special",
    "scipy.special._special_ufuncs",
    "scipy.special._ufuncs",
)


def is_part(name: str) -> bool:
    """Whether a class may be loaded as a part of any model.

    Parameters
    ----------
    name : str
        The dotted name of the class in its defining module.

    Examples
    --------
    >>> is_part("sklearn.linear_model._logistic.LogisticRegression"), is_part("scipy.stats._distn.rv_continuous")
    (True, False)
    >>> is_part("bench.models.llm.LLMClassifier"), is_part("sklearn.externals.LogisticRegression")
    (False, False)
    """
    if name in _OWN:
        return True
    module, _, short = name.rpartition(".")
    package = ".".join(module.split(".")[:2])
    return short in _SKLEARN_NAMES.get(package, ())


def is_function(name: str) -> bool:
    """Whether a function is allowed as a value: NumPy's and SciPy's element-wise ones, scikit-learn's column scores.

    Examples
    --------
    >>> is_function("numpy.log1p"), is_function("numpy.load"), is_function("os.system")
    (True, False, False)
    """
    if name in _SCORES:
        return True
    module, _, short = name.rpartition(".")
    return module in _UFUNC_MODULES and isinstance(getattr(importlib.import_module(module), short, None), np.ufunc)


def find_class(name: str) -> type[Any]:
    """Import a part by the name that `is_part` accepts.

    Raises
    ------
    LookupError
        If there is no such class, or it is only re-exported there.
    """
    module, _, short = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), short)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"no class {name} exists here") from error
    if not isinstance(found, type) or found.__module__ != module or found.__qualname__ != short:
        raise LookupError(f"{name} is not a class")
    return found


def stored_name(cls: type) -> str:
    """The name of a class in a skops file.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> stored_name(LogisticRegression)
    'sklearn.linear_model._logistic.LogisticRegression'
    """
    return f"{cls.__module__}.{cls.__name__}"
