# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Your own data
#
# Make a task of a data frame, check the data, and run models on it.

# %%
import pandas as pd

import bench

headlines = [
    ("الحارس يتصدى لركلة جزاء في الدقيقة الأخيرة", "sport", "قنوات"),
    ("المنتخب يتأهل إلى نصف نهائي البطولة", "sport", "قنوات"),
    ("النادي يتعاقد مع مهاجم جديد لموسمين", "sport", "الصباح"),
    ("تعادل سلبي في مباراة القمة بين الفريقين", "sport", "الصباح"),
    ("العداء يحطم الرقم القياسي في سباق الماراثون", "sport", "المساء"),
    ("إصابة قائد الفريق تبعده عن الملاعب شهرين", "sport", "المساء"),
    ("المدرب يستقيل بعد ثلاث هزائم متتالية", "sport", "الأخبار"),
    ("لاعبة التنس تفوز بلقبها الأول هذا العام", "sport", "الأخبار"),
    ("البنك المركزي يرفع سعر الفائدة نصف نقطة", "economy", "قنوات"),
    ("أسعار النفط تتراجع مع زيادة المخزونات", "economy", "قنوات"),
    ("البورصة تغلق على ارتفاع بدعم من قطاع البنوك", "economy", "الصباح"),
    ("التضخم السنوي يسجل أدنى مستوى منذ عامين", "economy", "الصباح"),
    ("الشركة تعلن أرباحا فصلية فاقت التوقعات", "economy", "المساء"),
    ("الحكومة تطرح سندات لتمويل عجز الموازنة", "economy", "المساء"),
    ("صادرات القمح ترتفع رغم قيود النقل", "economy", "الأخبار"),
    ("وزارة المالية تخفض الضرائب على الشركات الصغيرة", "economy", "الأخبار"),
]
frame = pd.DataFrame(headlines, columns=["headline", "topic", "outlet"])
frame.head(3)

# %% [markdown]
# Name the columns; the `group` is what no split may cut through. Headlines of one outlet share its style, so a model is
# to be scored on outlets that it has not seen.

# %%
task = bench.new_task(frame, text="headline", label="topic", group="outlet", name="topics")
task

# %% [markdown]
# No file was written. `bench new task` writes the same task as files, for the command line and for others.
#
# Check the data before you trust a score:

# %%
bench.check(task)

# %%
runs = bench.run(task, ["complement-nb", "logreg"], search="none", tracking=False)
runs

# %% [markdown]
# Sixteen headlines of four outlets are few: look at how wide the intervals are. A learning curve says whether more
# labels would help, and of which kind:

# %%
curve = bench.curve(task, "complement-nb", search="none")
for verdict in curve.verdicts:
    print("-", verdict)
