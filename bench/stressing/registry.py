"""The perturbations by name, in the order of tables: those of bench, then those of installed packages.

A package offers one by an entry point of the group ``bench.perturbations``, which names a
`bench.stressing.perturbation.Perturbation`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from bench.errors import ConfigError, ModelError, nearest
from bench.stressing import characters, entities, parts, slips, spelling
from bench.stressing.perturbation import Perturbation

ENTRY_POINTS = "bench.perturbations"
"""The group of entry points of plug-ins."""

OWN = (
    Perturbation("diacritics-added", "a random vowel on each bare letter", spelling.add_diacritics),
    Perturbation("diacritics-removed", "no diacritics", spelling.remove_diacritics),
    Perturbation("tatweel", "half of the words lengthened", spelling.add_tatweel),
    Perturbation("hamza-dropped", "أ إ آ as ا", spelling.drop_hamza),
    Perturbation("hamza-added", "ا at the start of words as أ", spelling.add_hamza),
    Perturbation("ya-as-maqsura", "final ي as ى", spelling.ya_as_maqsura),
    Perturbation("maqsura-as-ya", "final ى as ي", spelling.maqsura_as_ya),
    Perturbation("ta-marbuta-as-ha", "ة as ه", spelling.ta_marbuta_as_ha),
    Perturbation("ha-as-ta-marbuta", "final ه as ة", spelling.ha_as_ta_marbuta),
    Perturbation("presentation-forms", "letters as in text copied from PDF", characters.to_presentation_forms),
    Perturbation("digits-arabic-indic", "0-9 as ٠-٩", characters.to_arabic_indic_digits),
    Perturbation("digits-latin", "٠-٩ as 0-9", characters.to_latin_digits),
    Perturbation("punctuation-spaced", "a space before punctuation", characters.space_punctuation),
    Perturbation("zero-width", "invisible characters in a third of words", characters.add_invisible),
    Perturbation("quotes", "quotation marks of another kind", characters.swap_quotes),
    Perturbation("keyboard", "a near key hit in a tenth of words", slips.slip),
    Perturbation("numbers-swapped", "other numbers", entities.swap_numbers, "content"),
    Perturbation("places-swapped", "other countries and cities", entities.swap_places, "content"),
    Perturbation("names-swapped", "other first names", entities.swap_names, "content"),
    Perturbation("lead-removed", "no first sentence", parts.remove_lead, "content"),
    Perturbation("truncated", "the first half of the words", parts.truncate, "content"),
)
"""Those that come with bench."""

_NAME = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")


def perturbations(only: Sequence[str] = ()) -> list[Perturbation]:
    """All perturbations, or those of some names.

    Parameters
    ----------
    only : sequence of str
        Their names; all without any. A plug-in that is not asked for is not loaded.

    Raises
    ------
    bench.errors.UserError
        If a name is unknown, or a plug-in cannot be loaded.
    """
    own = {each.name: each for each in OWN}
    installed = {point.name: point for point in entry_points(group=ENTRY_POINTS) if point.name not in own}
    known = [*own, *installed]
    for name in only:
        if name not in known:
            raise ConfigError(f"--only {name}: unknown perturbation.", nearest(name, known))
    chosen = [name for name in known if name in only] if only else known
    return [own[name] if name in own else _loaded(installed[name]) for name in chosen]


def _loaded(point: EntryPoint) -> Perturbation:
    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    origin = f"entry point {point.name} of {package}"
    if not _NAME.fullmatch(point.name):
        raise ModelError(
            f"{origin}: '{point.name}' is not a name of a perturbation.",
            "Expected lower-case letters, digits and hyphens, such as dots-removed.",
        )
    try:
        found = point.load()
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"{origin}: {point.value} cannot be loaded: {type(error).__name__}: {error}.",
            "Reinstall or fix the package, or name other perturbations with --only.",
        ) from error
    if not isinstance(found, Perturbation):
        raise ModelError(
            f"{origin}: {point.value} gives {type(found).__name__}, expected a Perturbation.",
            "Make it with bench.Perturbation(name, description, change).",
        )
    return replace(found, name=point.name, origin=origin)
