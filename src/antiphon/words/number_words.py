"""Words that years, decades and tempi are told with."""

import re

from antiphon.words.bounds import BOUND_WORDS

DECADES = {
    20: "twenties zwanziger veinte veintes",
    30: "thirties dreissiger treinta",
    40: "forties vierziger cuarenta",
    50: "fifties funfziger cincuenta",
    60: "sixties sechziger sesenta",
    70: "seventies siebziger setenta",
    80: "eighties achtziger ochenta ochentas ochentero",
    90: "nineties neunziger noventa noventas noventero",
    100: "noughties nullerjahre",
}
DECADE_WORDS = {word: decade for decade, words in DECADES.items() for word in words.split()}
SHORT = re.compile(r"(\d0)(?:s|er|ies|ern)")
LONG = re.compile(r"((?:19|20)\d0)(?:s|er|ern)")
YEAR = re.compile(r"19\d\d|20\d\d")
BPM = re.compile(r"(\d{2,3})(?:bpm|er tempo)?")
PARTS = {
    **dict.fromkeys(("early", "fruhe", "fruhen", "principios"), (0, 3)),
    **dict.fromkeys(("mid", "middle", "mitte", "mediados"), (3, 6)),
    **dict.fromkeys(("late", "spate", "spaten", "ende", "finales"), (6, 9)),
}
"""First and last year of a part of a decade."""
FROM = {"since", "after", "from", "seit", "nach", "ab", "desde", "despues", "post", "depuis", "apres"}
UNTIL = {"before", "until", "till", "bis", "vor", "hasta", "antes", "pre", "avant", "jusque", "jusqua", "jusquen"}
ON = {"on", "onward", "onwards"}
ONWARD = {"onward", "onwards", "upwards", "aufwarts"}
OR = {"or", "and", "oder", "und", "o", "y", "ou", "et"}
LATER = {
    *ONWARD,
    "later",
    "newer",
    "after",
    "since",
    "up",
    "above",
    "spater",
    "neuer",
    "junger",
    "danach",
    "posterior",
    "posteriores",
    "despues",
    "apres",
}
EARLIER = {
    "earlier",
    "older",
    "before",
    "prior",
    "fruher",
    "alter",
    "davor",
    "anterior",
    "anteriores",
    "antes",
    "avant",
}
EXCLUSIVE = {"after", "before", "nach", "vor", "despues", "antes", "pre", "post", "apres", "avant"}
TO = {"to", "bis", "a", "till", "until", "hasta", "through"}
AND = {"and", "und", "y", "et"}
BETWEEN = {"between", "zwischen", "entre"}
BESIDE = AND | {",", "but", "aber", "pero", "mais"}
"""What joins two open bounds to one range: "after 1990 and before 2000"."""
ABOUT = {"about", "around", "circa", "ca", "approximately", "etwa", "ungefahr", "unos", "aproximadamente", "at"}
FILLERS = {
    "the",
    "der",
    "den",
    "die",
    "los",
    "las",
    "anos",
    "jahre",
    "jahren",
    "annees",
    "years",
    "year",
    "de",
    "del",
    "les",
    "des",
    "dem",
    "of",
    "in",
    "than",
    "que",
}
DECADE_BEFORE = {"anos", "jahre", "annees", "los"}
TEMPO_WITHIN = 0.05
NUMBER_WORDS = frozenset({*DECADE_WORDS, *PARTS, *FROM, *UNTIL, *ABOUT, *FILLERS, *BOUND_WORDS, "bpm", "tempo"})
"""Words that years and tempi are told with."""
