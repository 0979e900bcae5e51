"""Who is unknown, who is one artist, who shares a work, and what that means for splits."""

import unicodedata
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.catalogue import Catalogue
from antiphon.catalogue.artist_names import artist_key
from antiphon.catalogue.artists import connected, credited, dominance, share_artist
from antiphon.catalogue.file_tags import usable_tags
from antiphon.catalogue.splits import assign_split, assign_splits, fill_splits
from antiphon.catalogue.unknown import is_no_title, is_unknown
from antiphon.cli.app import run

FRACTIONS = (0.4, 0.3, 0.3)

UNKNOWN = [
    "[unknown]", "<unknown>", "(Unknown)", "UNKNOWN", "nan", "NaN", "null", "NULL", "None", "N/A", "n/a", "n.a.", "NA",
    "<NA>", "#N/A", "#NAME?", "-", "--", "–", "—", "?", "???", ".", "...", "_", "/", "", "  ", "\u200b", "\ufeff\u2060",
    "\u3164", "VA", "V.A.", "V/A", "v. a.", "Various", "various artists", "Various  Artists", "[Various Artists]",
    "Unknown Artist", "unknown\u00a0artist", "Ｕｎｋｎｏｗｎ", "Unbekannter Künstler", "Verschiedene Interpreten",
    "AA.VV.", "Artistes divers", "Varios artistas", "[no artist]", "[traditional]", "不明", None, float("nan"),
    np.float32("nan"), np.datetime64("NaT"), "Unbekannter Artist", "Artist Unknown", "Unknown Singer",
    "Unknown Artist 2", "Interprète inconnu", "okand artist", "Ukendt kunstner", "Nieznany wykonawca",
    "Různí interpreti",
    "Ismeretlen előadó", "BİLİNMEYEN SANATÇI", "çeşitli sanatçılar", "Неизвестен", "Διάφοροι Καλλιτέχνες", "未知歌手",
    "ヴァリアス・アーティスト", "알 수 없는 아티스트", "فنان غير معروف",
    "undefined", "\\N", "()", '""', "•", "¿?", "#NV", "#WERT!",
    "#¡REF!", "#NOM?", "#Н/Д", "[language instruction]", "Unknown?",
]  # fmt: skip
KNOWN = [
    "Unknown Mortal Orchestra", "The Unknown", "Various Cruelties", "Null + Void", "Nana", "Nancy", "VAST", "!!!",
    "+/-", "$NULL$", "Va!", "∆", "Björk", "0", "311", "N.W.A.", "Nothing", "The The", "Artist & Co", "?Uestlove",
    "Unknown Pop", "[spunge]", "Artist", "Genre", "The Band", "Artist vs. Poet", "Diverse", "Undefined Youth",
    "#1 Dads", "#HELLO", "#selfie!", "No Doubt", "Unknown 7", "***A", "Ná", "Vá",
]  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_stands_for_nobody_is_nobody_everywhere(name):
    assert is_unknown(name)
    assert credited([name, name]) == [(), ()]


@pytest.mark.parametrize("name", KNOWN)
def test_who_is_called_something_like_it_is_somebody(name):
    assert not is_unknown(name)
    assert credited([name]) == [(artist_key(name),)]
    assert artist_key(name)


def test_a_missing_value_of_another_library_is_unknown():
    class NAType:
        """As pandas' NA: no comparison with it is true or false."""

        def __ne__(self, other):
            return self

        def __bool__(self):
            raise TypeError("boolean value of NA is ambiguous")

    assert is_unknown(NAType())
    assert not is_unknown(np.array([1, 2]))


@pytest.mark.parametrize("title", ["Unknown", "Null", "None", "?", "Untitled", "-", "Various"])
def test_a_title_may_be_called_unknown(title):
    assert not is_no_title(title)


@pytest.mark.parametrize("title", ["[unknown]", "<unknown>", "[untitled]", "nan", "#N/A", " \u200b", None])
def test_no_title_is_none(title):
    assert is_no_title(title)


def test_tables_and_catalogues_hold_nobody(tmp_path):
    table = tmp_path / "songs.csv"
    lines = [f'v{n},"{name}","{name}","{name}"' for n, name in enumerate(UNKNOWN) if isinstance(name, str)]
    table.write_text("id,artist,genre,tags\n" + "\n".join(lines) + "\n", encoding="utf-8")
    for row in Catalogue.from_csv(table).records():
        assert (row["artist"], row["genre"], row["tags"] or []) == (None, None, []), row
    pl.DataFrame({"id": ["a", "b"], "artist": [float("nan"), None], "genre": [float("nan"), None]}).write_parquet(
        tmp_path / "songs.parquet"
    )
    assert {row["artist"] for row in Catalogue.from_parquet(tmp_path / "songs.parquet").records()} == {None}
    nan = float("nan")
    row = Catalogue([{"id": "a", "artist": nan, "genre": "N/A", "tags": ["live", "nan"], "year": nan}]).records()[0]
    assert (row["artist"], row["genre"], row["tags"], row["year"]) == (None, None, ["live"], None)


def test_tags_of_files_hold_nobody():
    for name in UNKNOWN:
        if isinstance(name, str):
            assert usable_tags({"artist": name, "genre": name, "title": "Unknown"}) == {"title": "Unknown"}
    found = usable_tags({"artist": "[unknown]", "album_artist": "VA", "performer": "Bea", "genre": "Other"})
    assert found == {"artist": "Bea"}
    assert usable_tags({"artist": "Ann & Bea", "artists": "Ann;Bea"}) == {"artist": "Ann; Bea"}
    assert usable_tags({"artist": "Ann", "artists": "Ann"}) == {"artist": "Ann"}


@pytest.mark.parametrize(
    "written",
    [
        "Guns N’ Roses", "Guns N‘ Roses", "guns n´ roses", "GUNS N′ ROSES", "Guns N＇ Roses", "Guns\u00a0N' Roses",
        "Guns N' Ro\u200bses", "\u2066Guns N' Roses\u2069", "Ｇｕｎｓ Ｎ＇ Ｒｏｓｅｓ",
        "Guns  N'\tRoses ", "\ufeffGuns N' Roses",
        "Guns N' Roses (feat. Elton John)", "Guns N' Roses ft. X", "Guns N'\u00ad Roses",
    ],
)  # fmt: skip
def test_ways_of_writing_make_no_new_artist(written):
    assert artist_key(written) == "guns n' roses"


@pytest.mark.parametrize(("one", "other"), [("Jay‐Z", "Jay-Z"), ("a–ha", "A−HA"), ("“Weird” Al", '"Weird" AL')])
def test_dashes_and_quotes_make_no_new_artist(one, other):
    assert artist_key(one) == artist_key(other)


def test_letters_are_one_however_composed_and_others_are_others():
    assert artist_key(unicodedata.normalize("NFD", "Beyoncé")) == artist_key("BEYONCÉ") == "beyoncé"
    assert artist_key("Beyonce") != artist_key("Beyoncé")
    assert artist_key("Prince") != artist_key("Princess")


@given(st.text(max_size=20))
def test_a_key_is_its_own_key(name):
    for key in credited([name])[0]:
        assert credited([key]) == [(key,)]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("A feat. B", ("a", "b")),
        ("A Feat B", ("a", "b")),
        ("A ft. B", ("a", "b")),
        ("A (ft. B)", ("a", "b")),
        ("A [featuring B]", ("a", "b")),
        ("A feat.B", ("a", "b")),
        ("A feat. B feat. C", ("a", "b", "c")),
        ("A, feat. B", ("a", "b")),
        ("A;B", ("a", "b")),
        ("A; B ;a", ("a", "b")),
        ("A；B", ("a", "b")),
        ("A feat. Various Artists", ("a",)),
        ("A (with B)", ("a", "b")),
        ("A [w/ B]", ("a", "b")),
        ("A (avec B; C)", ("a", "b", "c")),
        ("A {feat. B}", ("a", "b")),
        ("A【feat. B】", ("a", "b")),
        ("A feat: B", ("a", "b")),
        ("A - ft. B", ("a", "b")),
        ("A (Withers)", ("a (withers)",)),
        ("A (Andy)", ("a (andy)",)),
        ("[unknown]; B", ("b",)),
        ("Little Feat", ("little feat",)),
        ("Little Feat feat. B", ("little feat", "b")),
        ("Ft. Lauderdale", ("ft. lauderdale",)),
        ("Featuring", ("featuring",)),
        ("Defeat Ft", ("defeat ft",)),
        ("AC/DC", ("ac/dc",)),
        ("Simon & Garfunkel", ("simon & garfunkel",)),
        ("Earth, Wind & Fire", ("earth, wind & fire",)),
        ("Tyler, The Creator", ("tyler, the creator",)),
    ],
)
def test_artists_of_one_name(name, keys):
    assert credited([name]) == [keys]


@pytest.mark.parametrize(
    "joint",
    [
        *(
            "&",
            " & ",
            " x ",
            " × ",
            "×",
            "✕",
            ", ",
            "、",
            " / ",
            "/",
            " // ",
            "\\",
            " • ",
            "・",
            "|",
            " + ",
            " vs. ",
            " vs ",
        ),
        *(
            " v. ",
            " and ",
            ", and ",
            " & the ",
            " with ",
            " i ",
            " és ",
            " ve ",
            " и ",
            " presents ",
            " prod. by ",
            " a.k.a. ",
        ),
    ],
)
def test_two_are_two_where_both_stand_alone(joint):
    joint = f"A{joint}B"
    assert credited([joint, "a", "B"])[0] == ("a", "b")
    assert credited([joint, "A", "C"])[0] == (artist_key(joint),)
    assert credited([joint, "A", "X feat. B"])[0] == ("a", "b")
    assert credited([joint])[0] == (artist_key(joint),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Beatles", "Beatles, The"),
        ("The Beatles", "beatles"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Florence + The Machine", "Florence and the Machine"),
        ("Guns N' Roses", "Guns N Roses"),
        ("Jay-Z", "Jay Z"),
        ("AC/DC", "ACDC"),
        ("T.A.T.U.", "tatu"),
        ("IŞIN KARACA", "Işın Karaca"),
        ("İlhan İrem", "ilhan irem"),
    ],
)
def test_one_artist_who_is_written_in_two_ways_in_a_catalogue_is_one(one, other):
    assert share_artist(one, other)
    assert share_artist(f"X feat. {one}", other)
    assert share_artist(f"{one} & X", f"{other}; X")
    assert catalogue(one, other, "X", f"X & {one}").split(fractions=FRACTIONS).artists_in_two_splits() == []


@pytest.mark.parametrize(
    ("one", "other"), [("The The", "The"), ("!!!", "???!"), ("कमल", "कोमल"), ("A$AP", "AAP"), ("+44", "44")]
)
def test_others_are_others(one, other):
    assert not share_artist(one, other)


def test_bands_stay_bands_among_others():
    names = [
        "Tyler, The Creator",
        "Tyler",
        "Simon & Garfunkel",
        "Simon",
        "Earth, Wind & Fire",
        "Earth",
        "Wind",
        "AC/DC",
    ]
    assert [len(keys) for keys in credited(names)] == [1] * len(names)
    joint = [*names, "Earth, Wind & Fire & The Emotions", "The Emotions", "A, B & C", "A", "B", "C"]
    assert credited(joint)[len(names)] == ("earth, wind & fire", "the emotions")
    assert credited(joint)[len(names) + 2] == ("a", "b", "c")


def test_very_many_joints_take_no_time():
    long = " & ".join(["a"] * 40)
    names = [long, "a", *(" & ".join(["a"] * n) for n in range(2, 13))]
    assert credited(names)[0] == (long,)
    assert credited(names)[-1] == ("a",) or len(credited(names)[-1]) >= 1


def test_groups_are_connected_through_works_in_common():
    names = ["Cy", "Ann feat. Cy", "Ann", "Dee", None, "Cy & Eve", "Eve", "N/A"]
    assert connected(names) == ["ann", "ann", "ann", "dee", "", "ann", "ann", ""]
    assert share_artist("Ann feat. Cy", "CY")
    assert not share_artist("Ann feat. Cy", "Dee")
    assert not share_artist(None, None)


def catalogue(*artists, splits=()):
    rows = [{"id": f"v{n:03}", "artist": artist} for n, artist in enumerate(artists)]
    return Catalogue([row | {"split": split} for row, split in zip(rows, [*splits, *[None] * len(rows)], strict=False)])


@given(
    st.lists(st.sampled_from(["A", "B", "C", "D", "A feat. B", "C;D", "B & C", "E"]), min_size=1, max_size=12),
    st.integers(0, 5),
)
def test_whoever_shares_a_work_shares_a_split(artists, seed):
    made = catalogue(*artists).split(fractions=FRACTIONS, seed=seed)
    assert not made.artists_in_two_splits()
    assert made.split_missing().records() == made.records()
    filled = catalogue(*artists).split_missing(fractions=FRACTIONS, seed=seed)
    assert filled.table["split"] == made.table["split"]


def test_an_artist_without_joint_works_stands_where_the_hash_of_the_name_says():
    artists = [f"artist {n}" for n in range(200)]
    alone = [assign_split("v", artist, FRACTIONS, 0) for artist in artists]
    assert assign_splits([f"v{n}" for n in range(200)], artists, FRACTIONS, 0) == alone
    counts = Counter(assign_splits(["v"] * 3000, [f"a{n} feat. b{n}" for n in range(3000)], FRACTIONS, 0))
    assert counts["train"] / 3000 == pytest.approx(0.4, abs=0.03)


def test_a_later_joint_work_joins_the_artist_that_stands():
    grown = catalogue("Ann", "Bea feat. Ann", "Bea", "bea & dee", "Dee", splits=["test"])
    assert set(grown.split_missing(fractions=(1, 0, 0)).table["split"].to_pylist()) == {"test"}


def test_a_joint_work_of_two_that_stand_apart_goes_to_the_first_and_is_said():
    torn = catalogue("Ann", "Bea", "Bea feat. Ann", "Ann", splits=["test", "train"])
    with pytest.warns(
        UserWarning, match=r"1 video is by artists of several splits.*'v002'.*'bea' in train, 'ann' in test"
    ):
        filled = torn.split_missing(fractions=(0, 1, 0))
    assert filled.table["split"].to_pylist() == ["test", "train", "train", "test"]
    assert filled.artists_in_two_splits() == ["ann"]


def test_copies_of_a_file_share_a_split_whoever_they_are_said_to_be_by():
    ids, artists = ["a", "b", "c", "d"], ["Ann", "Bea", "Ann", "Bea"]
    contents = [None, None, "x", "x"]
    splits, straddling = fill_splits(ids, artists, ["train", "test", None, None], FRACTIONS, 0, contents)
    assert splits == ["train", "test", "train", "train"]
    assert [each.video_id for each in straddling] == ["c", "d"]
    assert len(set(assign_splits(ids, artists, FRACTIONS, 0, ["x", None, None, "x"]))) == 1
    alone = assign_splits(["p", "q"], [None, None], FRACTIONS, 0, ["y", "y"])
    assert alone == [assign_split("p", None, FRACTIONS, 0)] * 2


def test_filling_does_not_depend_on_the_order_of_rows():
    rows = [
        ("a", "Ann", "test"),
        ("b", "Bea feat. Ann", None),
        ("c", "Bea feat. Cy", None),
        ("d", "Cy", "train"),
        ("e", "Bea", None),
    ]
    wanted = dict(zip("abcde", fill_splits(*zip(*rows, strict=True), FRACTIONS, 0)[0], strict=True))
    for order in ([4, 3, 2, 1, 0], [2, 0, 4, 1, 3]):
        mixed = [rows[place] for place in order]
        assert (
            dict(zip([row[0] for row in mixed], fill_splits(*zip(*mixed, strict=True), FRACTIONS, 0)[0], strict=True))
            == wanted
        )
    assert wanted["a"] == wanted["b"] == "test"


def test_who_has_more_than_half_is_named():
    assert dominance(["Ann", "Ann", "Bea"]).videos == 2
    assert str(dominance(["Ann", "ann ", "Bea"])).startswith("One artist, 'ann', has 2 of 3 videos")
    joint = str(dominance(["Ann", "Bea feat. Ann", "Cy", "Bea", None]))
    assert joint.startswith("Artists with works in common ('ann', 'bea') have 3 of 5 videos")
    assert "and 2 more" in str(dominance(["a;b;c;d;e"] * 2))
    for names in (["Ann", "Bea"], ["Ann"], [None] * 9, ["N/A"] * 9, ["Ann", "Ann", "Bea", "Cy"]):
        assert dominance(names) is None


def test_the_command_warns_of_who_has_more_than_half(tmp_path, capsys):
    (tmp_path / "songs.csv").write_text("id,artist\na,Ann\nb,ANN\nc,Bea\n")
    assert run(["-w", str(tmp_path / "w"), "catalogue", "add", str(tmp_path / "songs.csv")]) == 0
    assert "Warning: One artist, 'ann', has 2 of 3 videos" in capsys.readouterr().err
    assert run(["-w", str(tmp_path / "w"), "catalogue", "split"]) == 0
    assert "Warning: One artist, 'ann', has 2 of 3 videos" in capsys.readouterr().err
    assert run(["-w", str(tmp_path / "w"), "catalogue", "split", "--by", "video"]) == 0
    assert "One artist" not in capsys.readouterr().err
