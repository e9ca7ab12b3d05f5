"""The parts of a published split, by their usual names."""

from __future__ import annotations

import re
from functools import lru_cache

from bench.data.task import DEV, ROLES, TEST, TRAIN
from bench.text.normalization import normalize

ROLE_NAMES = {name: name for name in ROLES} | {
    "training": TRAIN,
    "development": DEV,
    "validation": DEV,
    "valid": DEV,
    "val": DEV,
    "testing": TEST,
}
"""The names of parts in files and data sets."""

_OTHERS = {
    "trn": TRAIN,
    "trainset": TRAIN,
    "trainingset": TRAIN,
    "devset": DEV,
    "validationset": DEV,
    "publictest": DEV,
    "tst": TEST,
    "testset": TEST,
    "privatetest": TEST,
    "تدريب": TRAIN,
    "تدريبي": TRAIN,
    "تدريبية": TRAIN,
    "تطوير": DEV,
    "تطويرية": DEV,
    "تحقق": DEV,
    "اختبار": TEST,
    "اختباري": TEST,
    "اختبارية": TEST,
}
"""Other names in cells. In Kaggle's ``Usage``, entrants can tune on the public test part."""

_IDLE = frozenset(normalize(word) for word in ("set", "data", "dataset", "split", "part", "مجموعة", "بيانات"))
_SIGNS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def role_of(value: str) -> str | None:
    """Return the part of a published split that a cell names; None if it names none.

    Letter case, signs, the Arabic article and words such as ``set`` do not matter.

    Examples
    --------
    >>> role_of("TEST"), role_of("Train set"), role_of("مجموعة التدريب"), role_of("PublicTest"), role_of("extra")
    ('test', 'train', 'train', 'dev', None)
    """
    words = _SIGNS.sub(" ", normalize(value).casefold()).split()
    words = [word.removeprefix("ال") if len(word) > 4 else word for word in words]
    return _ROLES.get("".join(word for word in words if word not in _IDLE))


_ROLES = {normalize(name): role for name, role in (ROLE_NAMES | _OTHERS).items()}
