"""Usual names of columns, and the role that each name suggests.

Letter case, ``camelCase``, spaces and signs between words do not matter, nor do the Arabic article and spelling
variants. If a whole name is unknown, its last meaningful word decides, or the first one in Arabic:
``clean_tweet`` is a tweet, ``tweet_id`` and ``رقم التغريدة`` are ids.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bench.text.normalization import normalize

_TEXT = """
    text tweet sentence review comment post message utterance document_text full_text content body article_text
    article_body article paragraph passage statement headline title news news_text feed status caption description
    question answer response transcript snippet input evidence segment
    نص نص_مقال نص_خبر نص_تغريدة نص_تعليق نص_منشور محتوى_مقال محتوى_خبر جملة تغريدة مراجعة تعليق منشور رسالة محتوى متن
    فقرة مقال_نص خبر عنوان سؤال
"""
_LABEL = """
    label labels gold gold_label class class_label category annotation annotations tag y gold_standard ground_truth
    true_label final_label majority_label majority_vote majority consensus final adjudicated answer_label
    label_name label_text class_name classname category_name classification classifications
    تصنيف وسم فئة تسمية صنف
"""
_LABEL_OF = """
    stance sentiment polarity veracity verdict truth truthfulness truth_value credibility fake is_fake sarcasm sarcastic
    irony ironic hate hate_speech hateful offensive offense abusive toxic toxicity emotion mood subjectivity subjective
    dialect intent topic_label relation entailment claim_worthiness check_worthiness check_worthy checkworthy
    checkworthiness worthiness factuality rumor_label rumour_label humor spam propaganda bias harmful
    موقف مشاعر شعور قطبية رأي توجه لهجة عاطفة سخرية مصداقية
"""
_LABEL_PERHAPS = """
    target topic section rating ratings stars star score rate type genre subject output outcome result value code
    evaluation decision subtask_a subtask_b subtask_c task_1 task_2 task_3
    تقييم نوع قسم موضوع درجة
"""
_CLAIM = """
    claim claim_text claim_sentence rumor rumour rumor_text rumour_text hypothesis premise_claim target_claim
    ادعاء زعم شائعة
"""
_GROUP = "group group_id document document_id doc doc_id article article_id مقال"
_DATE = """
    date published published_at publication_date date_published pub_date pubdate publish_date created_at created
    datetime timestamp posted_at time تاريخ تاريخ_النشر
"""
_SPLIT = "split subset partition set usage data_split dataset_split train_test fold is_test is_train تقسيم مجموعة"
_ID = """
    id example_id text_id sentence_id tweet_id review_id comment_id post_id message_id row_id item_id uid guid uuid
    index idx no number unnamed_0 رقم معرف
"""
_OTHER = """
    url uri link href image picture media file filename path date datetime time timestamp created year month day hour
    email email_address mail e_mail
    user users username author speaker screen_name nickname name person account publisher source outlet platform site
    domain lang language locale country city location region place geo gender sex age job job_title party state
    count counts length len size words chars tokens likes like retweets retweet shares views followers replies reply
    confidence agreement kappa weight votes probability annotator annotators annotator_id worker worker_id coder
    version checksum hash keywords keyword hashtags hashtag mentions query entity hotel_name book
    عنوان_البريد_الإلكتروني بريد_إلكتروني بريد طابع_زمني رابط تاريخ كاتب مصدر لغة مؤلف اسم
"""

_TIERS = {
    "text": (_TEXT,),
    "label": (_LABEL, _LABEL_OF, _LABEL_PERHAPS),
    "claim": (_CLAIM,),
    "group": (_GROUP,),
    "split": (_SPLIT,),
    "id": (_ID,),
    "date": (_DATE,),
    "other": (_OTHER,),
    "target": ("target topic entity subject issue aspect هدف موضوع قضية جهة",),
    "document": ("document document_id doc doc_id article article_id file filename",),
    "start": ("start begin start_offset from",),
    "end": ("end stop end_offset to",),
}
"""The names of each role, from unambiguous to ambiguous; the first name in a tier is best.
``other`` has names that mean neither a text nor a label."""

_IDLE = """
    clean cleaned cleaning processed preprocessed raw original orig normalized normalised full final new old my the of
    ar arabic arab en english ara value values col column field string str flag is has gold main manual human majority
    voted name
"""
"""Words that say nothing about a column's role."""

_WORDS = ("text", "label", "claim", "id", "other")
"""Roles that a single word of a name can reveal."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)")
_ARABIC = re.compile("[\u0600-\u06ff]")
_SIGNS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def plain_name(column: str) -> str:
    """Normalise a column's name, so that all its spellings are equal.

    Examples
    --------
    >>> plain_name("tweetText") == plain_name("Tweet_Text") == plain_name(" tweet text ")
    True
    >>> plain_name("النَّص") == plain_name("نص")
    True
    """
    return "".join(_words(column))


def whole(column: str, role: str) -> tuple[int, int] | None:
    """Return how well a whole name fits a role, smaller being better: its tier, and its place there; None if not.

    Examples
    --------
    >>> whole("Text", "text"), whole("tweetId", "text") is None
    ((0, 0), True)
    """
    return _PLACES[role].get(plain_name(column))


def fit(column: str, role: str) -> tuple[int, int, int] | None:
    """Return how well a name fits a role, smaller being better: as `whole`, or by one of its words; None if not.

    Examples
    --------
    >>> fit("claim_label", "label"), fit("tweet_id", "text") is None, fit("clean_tweet", "text") is None
    ((0, 1, 0), True, False)
    >>> fit("نص التغريدة", "text") is None, fit("رقم التغريدة", "text") is None
    (False, True)
    """
    if (place := whole(column, role)) is not None:
        return place[0], 0, place[1]
    if role not in _WORDS or any(whole(column, other) is not None for other in _WORDS):
        return None
    telling = [word for word in _words(column) if len(word) > 1 and not word.isdigit() and word not in _IDLE.split()]
    head = "" if not telling else telling[0] if _ARABIC.search(telling[0]) else telling[-1]
    found = {name: _PLACES[name].get(head) for name in _WORDS}
    place = found[role]
    if place is None or (role != "id" and found["id"] is not None):
        return None
    return place[0], 1, place[1]


def is_known(column: str) -> bool:
    """Whether a name is so common that a line of such names is a header.

    Examples
    --------
    >>> is_known("Tweet"), is_known("doc_id"), is_known("no"), is_known("result")
    (True, True, False, False)
    """
    roles = [role for role in _PLACES if role not in ("other", "target", "date")]
    places = {role: place for role in roles if (place := whole(column, role)) is not None}
    if places.keys() == {"id"}:
        return plain_name(column).endswith("id")
    if places.keys() == {"label"}:
        return places["label"][0] < 2
    return bool(places)


def _words(column: str) -> list[str]:
    parts = _SIGNS.sub(" ", normalize(_CAMEL.sub(" ", column))).split()
    return [part.removeprefix("ال") if len(part) > 3 else part for part in parts]


_PLACES = {
    role: {
        plain_name(name): (tier, place)
        for tier, names in reversed([*enumerate(tiers)])
        for place, name in reversed([*enumerate(names.split())])
    }
    for role, tiers in _TIERS.items()
}
