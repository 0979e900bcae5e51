"""What texts are taken to mean: a golden list of queries, and any characters at all."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.words import Vocabulary, interpret
from antiphon.words.lexicon import lexicon
from antiphon.words.numbers import FIRST_YEAR, LAST_YEAR
from antiphon.words.tokens import MAX_TOKENS, normal

GOLDEN = Path(__file__).with_name("golden.json")
ROWS = [
    {
        "tags": ["surf", "road trip", "90s kids", "no wave"],
        "genre": "Shoegaze",
        "artist": "Nina Simone",
        "title": "Sadness and Light",
    },
    {"tags": ["beach", "calm", "no vocals"], "genre": "folk", "artist": "The Kinks", "title": "Waterloo Sunset"},
    {"tags": None, "genre": None, "artist": None, "title": None},
]
CATALOGUE = Vocabulary.of(ROWS)
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))


def meant(text, vocabulary=CATALOGUE):
    """The terms of a text as the golden list has them, and the words that mean nothing."""
    found = interpret(text, vocabulary)
    terms = [
        [term.kind, term.name, *([] if term.wanted else ["unwanted"]), *([] if term.weight == 1 else [term.weight])]
        for term in found.terms
    ]
    return {"terms": terms, "unknown": list(found.unknown)}


def labels(text, vocabulary=CATALOGUE):
    return [term.label for term in interpret(text, vocabulary).terms]


@pytest.mark.parametrize("text", CASES)
def test_a_query_is_understood_as_in_the_golden_list(text):
    assert meant(text) == CASES[text]


def test_the_golden_list_has_forty_queries_in_three_languages():
    assert len(CASES) >= 40


@given(st.text(max_size=200))
def test_any_text_is_read_and_its_terms_lie_in_it(text):
    found = interpret(text, CATALOGUE)
    for term in found.terms:
        assert found.text[term.start : term.end] == term.text
        assert term.weight > 0
    json.dumps(found.to_dict()).encode("utf-8")


@pytest.mark.parametrize(
    "text",
    ["\ud800", "\x00", "🎸🎹", "قيثارة هادئة", "a" * 10_000, "calm " * 5_000, "-" * 500, "no " * 500, "9" * 4_000],
)
def test_no_characters_break_a_query(text):
    found = interpret(text, CATALOGUE)
    assert len(found.terms) <= MAX_TOKENS
    found.text.encode("utf-8")


def test_of_a_long_text_the_first_words_are_read_and_that_is_said():
    assert interpret("calm " * MAX_TOKENS, CATALOGUE).whole
    assert not interpret("calm " * (MAX_TOKENS + 1), CATALOGUE).whole


def test_whole_words_come_before_misspelt_ones_and_those_before_parts():
    assert [interpret(word).terms[0].how for word in ("guitar", "guittar", "guitarlike")] == [
        "whole",
        "spelling",
        "part",
    ]
    # "sad" is a word of our table; the title "Sadness and Light" only begins with it.
    assert meant("sad") == {"terms": [["concept", "sad"]], "unknown": []}


def test_a_removed_term_leaves_a_text_that_means_the_others():
    text = "calm acoustic guitar, without drums or vocals, 90s"
    found = interpret(text, CATALOGUE)
    every = labels(text)
    assert every == ["calm", "acoustic guitar", "no drums", "no vocals", "1990–1999"]
    for term in found.terms:
        assert labels(found.without(term)) == [label for label in every if label != term.label]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("calm guitar, no drums, 90s", "calm guitar, 90s"),
        ("no drums", ""),
        ("no drums but vocals", "vocals"),
        ("no drums but guitar", "guitar"),
        ("slow but not sad", "slow"),
        ("calm and no drums", "calm"),
        ("better than drums", ""),
        ("lieber Klavier als Gitarre", "Klavier"),
        ("no drums, calm, no drums", "calm"),
        ("but vocals", "but vocals"),
        ("unheard-of zzz", "unheard-of zzz"),
    ],
)
def test_what_is_to_be_absent_is_not_told_to_networks(text, wanted):
    assert interpret(text, CATALOGUE).wanted_text() == wanted


def test_what_is_repeated_is_named_once_and_removed_wherever_it_stands():
    found = interpret("calm piano " * 20, CATALOGUE)
    assert [term.label for term in found.terms] == ["calm", "piano"]
    assert labels(found.without(found.terms[0])) == ["piano"] and labels(found.without(found.terms[1])) == ["calm"]
    every = interpret("no drums, calm, very calm, ruhig, no drums", CATALOGUE)
    assert [(term.label, term.weight) for term in every.terms] == [("no drums", 1), ("calm", 1.5)]
    assert every.without(every.terms[0]) == "calm, very calm, ruhig"
    assert labels("drums, no drums") == ["drums", "no drums"]


LABELS = Vocabulary.of(
    [
        {"tags": ["mellow", "80s", "no vocals"], "genre": "Drum & Bass", "artist": "Friday", "title": None},
        {"tags": ["surf"], "genre": "Folk, World & Country", "artist": None, "title": "Friday"},
    ]
)


@pytest.mark.parametrize(
    ("text", "label", "exact"),
    [
        *(
            (text, "Drum & Bass", "Drum & Bass")
            for text in ("drum & bass", "Drum and Bass", "DnB", "drum'n'bass", "d&b")
        ),
        ("no dnb", "no Drum & Bass", "Drum & Bass"),
        ("mellow", "mellow", "mellow"),
        ("ruhig", "calm", None),
        ("electro", "electronic", None),
        ("surf", "surf", "surf"),
        ("Folk, World & Country", "Folk, World & Country", "Folk, World & Country"),
        ("80s", "1980–1989", "80s"),
        ("no vocals", "no vocals", None),
        ("-mellow", "no mellow", "mellow"),
    ],
)
def test_a_label_of_the_catalogue_comes_before_our_table(text, label, exact):
    (term,) = interpret(text, LABELS).terms
    assert (term.label, term.exact) == (label, exact)


@pytest.mark.parametrize(
    "text", ["newer than Friday", "neuer als Friday", "más nuevo que Friday", "not newer than Friday"]
)
def test_a_comparison_that_means_nothing_asks_for_nothing(text):
    found = interpret(f"{text}, jazz", LABELS)
    assert [term.label for term in found.terms] == ["jazz"] and found.unknown[-1] == "friday"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("over 100 or under 80 bpm", ["from 100 bpm", "until 80 bpm"]),
        ("over 100 and under 140 bpm", ["100–140 bpm"]),
        ("über 100 oder unter 80 bpm", ["from 100 bpm", "until 80 bpm"]),
        ("over 100 or calm", ["calm"]),
        ("años 80 y 90", ["1980–1989", "1990–1999"]),
        ("los 70, 80 y 90", ["1970–1979", "1980–1989", "1990–1999"]),
        ("les années 80 et 90", ["1980–1989", "1990–1999"]),
        ("jazz 80 y 90", ["jazz"]),
    ],
)
def test_a_unit_is_shared_by_what_is_joined(text, wanted):
    assert labels(text, Vocabulary()) == wanted


def test_signs_bound_numbers_alone():
    assert labels("a < b > c", Vocabulary()) == [] and interpret("jazz > 3").unknown == ("3",)


def test_negation_ends_with_the_thought():
    assert labels("no drums, vocals") == ["no drums", "vocals"]
    assert labels("no drums and vocals") == ["no drums", "no vocals"]
    assert labels("no drums but vocals") == ["no drums", "vocals"]
    assert labels("calm -drums piano") == ["calm", "no drums", "piano"]
    found = interpret("no loud guitars")
    assert [labels(found.without(term)) for term in found.terms] == [["no guitar"], ["no loud"]]


@pytest.mark.parametrize("phrase", [phrase for phrase, effect in lexicon().phrases.items() if effect == "negating"])
def test_what_stands_behind_a_phrase_of_exclusion_is_not_asked_for(phrase):
    assert labels(f"{phrase} drums") == ["no drums"]
    found = interpret(f"jazz {phrase} loud drums or vocals, piano", CATALOGUE)
    assert [term.label for term in found.terms] == ["jazz", "no loud", "no drums", "no vocals", "piano"]
    assert found.unknown == () and found.wanted_text() == "jazz, piano"


@pytest.mark.parametrize("phrase", [phrase for phrase, effect in lexicon().phrases.items() if effect == "granting"])
def test_what_stands_behind_a_phrase_that_grants_is_asked_for(phrase):
    assert labels(f"jazz, {phrase} drums") == ["jazz", "drums"]


def test_unknown_words_end_no_negation_of_the_thing_that_they_describe():
    for text, is_wanted in (("without seaside holiday drums", False), ("no seaside holiday sad", True)):
        described = interpret(text, CATALOGUE, Seaside)
        assert [(term.kind, term.wanted) for term in described.terms] == [("alike", False), ("concept", is_wanted)]


@given(st.integers(FIRST_YEAR, LAST_YEAR), st.integers(FIRST_YEAR, LAST_YEAR))
def test_years_are_read_with_both_ends(one, other):
    first, last = sorted((one, other))
    (term,) = interpret(f"{first}-{last}").terms
    assert (term.kind, term.min_value, term.max_value) == ("years", first, last)


class Seaside:
    """Knows what the seaside is like."""

    def nearest(self, phrase):
        return {"beach": 0.75, "surf": 0.25} if phrase == "seaside holiday" else {}


def test_words_of_other_meaning_are_asked_for_by_meaning_if_something_is_near():
    found = interpret("calm seaside holiday, zzzzz", CATALOGUE, Seaside)
    assert [term.label for term in found.terms] == ["calm", "seaside holiday (like beach, surf)"]
    assert found.unknown == ("zzzzz",)


def listed(name):
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


COMMON, TYPOS = [word for line in listed("common_words.txt") for word in line], listed("typos.txt")


def test_no_common_word_is_taken_for_another():
    """Without the list of ordinary words and the rules for short ones, 96 of these were."""
    taken = {word: labels(word) for word in COMMON if any(term.how != "whole" for term in interpret(word).terms)}
    assert len(set(COMMON)) > 400 and taken == {}


def test_typos_are_forgiven():
    meaning = lexicon().by_words
    missed = [word for word, meant in TYPOS if [t.name for t in interpret(word).terms] != [meaning[normal(meant)]]]
    assert len(TYPOS) == 80 and set(missed) <= {"vilion", "peacfull", "traurich"}  # two letters are wrong


def test_of_short_words_only_letters_that_changed_places_or_were_doubled_are_forgiven():
    assert [labels(word) for word in ("slwo", "rockk", "slov", "slw", "fask")] == [
        ["slow (for “slwo”)"],
        ["rock (for “rockk”)"],
        [],
        [],
        [],
    ]


def test_a_common_word_is_no_beginning_of_another_and_no_compound():
    assert [labels(word) for word in ("rain", "play", "lighthouse", "organic")] == [[]] * 4
    assert labels("acou") == ["acoustic (for “acou”)"]
    assert labels("klavierbegleitung") == ["piano (for “klavierbegleitung”)"]
    assert interpret("calmly", CATALOGUE).terms[0].how == "part"
    assert interpret("beahc", CATALOGUE).terms[0].how == "spelling"
    assert labels("harponium") == []  # what follows "harp" means nothing


def test_every_word_of_the_table_means_one_concept():
    table = lexicon()
    seen = {}
    for concept in table.concepts.values():
        for word in concept.words:
            assert seen.setdefault(word, concept.name) == concept.name, word
            assert table.by_words[word] == concept.name


def test_words_are_compared_without_case_accents_and_hyphens():
    assert normal("Schwarz-Weiß") == "schwarz weiss"
    assert normal("Rock'n'Roll ＲＯＣＫ") == "rocknroll rock"
