"""Other words that people write over the columns of a catalogue, in their languages."""

from collections.abc import Mapping

from antiphon.spreadsheets.headers import Words


def _words(text: str, unless: str = "") -> Words:
    return Words(tuple(text.split()), tuple(unless.split()))


ASKED: Mapping[str, Words] = {
    "path": _words(
        "file filepath filelocation location pfad datei dateipfad chemin fichier ruta chemindufichier percorso "
        "ścieżka dosyayolu путь パス ファイル 路径 文件路径 경로 url",
        unless="filename",
    ),
    "filename": _words(
        "dateiname nomdefichier nomdufichier nombredearchivo nomefile nomedoarquivo nazwapliku dosyaadı имяфайла "
        "ファイル名 文件名 파일명",
        unless="path id",
    ),
    "id": _words(
        "videoid trackid identifier ids",
        unless="path filename",
    ),
    "artist": _words(
        "interpret interprète künstler artista artiest wykonawca sanatçı şarkıcı kunstner esittäjä исполнитель "
        "アーティスト アーティスト名 艺术家 歌手 아티스트 가수 "
        "artistname mainartist trackartist albumartist band performer singer musician",
    ),
    "title": _words(
        "titre título titolo tytuł başlık şarkı название 曲名 タイトル 歌名 标题 제목 songtitle tracktitle trackname "
        "videotitle songname song",
    ),
    "genre": _words(
        "género genere gatunek müziktürü musikrichtung жанр ジャンル 流派 장르 "
        "style stil musicstyle musikstil musicgenre",
    ),
    "tags": _words(
        "keywords stichwörter schlagwörter schlagworte etiquetas étiquettes motsclés タグ 标签",
    ),
    "year": _words(
        "jahr année año anno jaar rok yıl год 年 年份 연도 erscheinungsjahr releaseyear yearofrelease",
    ),
    "split": _words(
        "subset partition",
    ),
}
"""Columns that people write about music videos, and other words for them."""
