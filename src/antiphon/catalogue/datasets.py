"""Data sets that Antiphon can read: content, licence and source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSet:
    """Facts about a data set before downloading it.

    Attributes
    ----------
    name : str
        Short name.
    holds : str
        Content.
    licence : str
        Licence as its publisher states it.
    size : str
        Size of what Antiphon reads.
    where : str
        Page of the publisher.
    needs : str
        What users must provide besides.
    command : str
        Command that imports it.
    """

    name: str
    holds: str
    licence: str
    size: str
    where: str
    needs: str
    command: str


DATA_SETS = (
    DataSet(
        name="Million Song Dataset, Choi's tags",
        holds="ids of songs with 50 frequent Last.fm tags and a split; no media",
        licence="none stated with the lists; the tags are Last.fm's, so read its terms",
        size="12,634 songs to validate on and 28,540 to test on, and a longer list to train on",
        where="https://github.com/keunwoochoi/MSD_split_for_tagging (songs: http://millionsongdataset.com)",
        needs="files of these songs, and a CSV with the columns msd_id and path",
        command="antiphon datasets msd MEDIA.csv --lists FOLDER",
    ),
    DataSet(
        name="the paper's list",
        holds="the 10,045 ids (9,416 different ones) of the Million Song Dataset that Veldkamp et al. tagged; no media",
        licence="none stated",
        size="191 kB",
        where="https://github.com/KarelVeldkamp/Multimodal-Musicvideo-Representation, data/08_reporting/msdids.txt",
        needs="as above",
        command="antiphon datasets msd MEDIA.csv --lists FOLDER --wanted msdids.txt",
    ),
    DataSet(
        name="MTG-Jamendo",
        holds="55,701 whole tracks with tags of genre, instrument and mood, and splits by artist; sound only",
        licence="audio: a Creative Commons licence for each track; metadata: CC BY-NC-SA 4.0",
        size="508 GB, or 156 GB in low quality",
        where="https://github.com/MTG/mtg-jamendo-dataset",
        needs="the audio, and the three tables of a split such as autotagging_top50tags",
        command="antiphon datasets jamendo AUDIO --train T.tsv --validation V.tsv --test X.tsv",
    ),
    DataSet(
        name="YouTube-8M, video level",
        holds="6.1 million videos as a vector of sound and one of pictures each, with machine-made labels; no media",
        licence="CC BY 4.0",
        size="31 GB in 3,844 shards; a few shards are enough to begin with",
        where="https://research.google.com/youtube8m/download.html",
        needs="nothing",
        command="antiphon features import SHARDS.tfrecord --label-names vocabulary.csv",
    ),
    DataSet(
        name="AudioSet, and lists in its layout",
        holds="ids of YouTube videos with labels of a stretch of ten seconds, among them music; no media",
        licence="CC BY 4.0",
        size="lists of about two million videos",
        where="https://research.google.com/audioset/download.html",
        needs="nothing; class_labels_indices.csv names the labels",
        command="antiphon datasets audioset LIST.csv --label-names class_labels_indices.csv",
    ),
    DataSet(
        name="synthetic",
        holds="music videos rendered here, whose pictures follow the songs as closely as you say",
        licence="yours: they are made on your machine",
        size="as many as you ask for",
        where="part of Antiphon",
        needs="nothing",
        command="antiphon demo",
    ),
)
