"""`antiphon published`: the paper's published heads as a run of the workspace."""

from pathlib import Path

from antiphon.cli.session import Here


def published(
    file: Path, *, name: str = "published", audio: str | None = None, video: str | None = None, session: Here
) -> None:
    """Import the heads published by Veldkamp et al. (2023) as a run, to evaluate them like any other.

    Writes runs/NAME. No code from the file is executed. Evaluation needs the features that the heads were trained on,
    musicnn-won-mtat and r2plus1d_18-unscaled; other features of the same size must be named.

    Parameters
    ----------
    file
        The authors' checkpoint, such as Single_proj_head.tar.
    name
        Name of the run.
    audio
        Audio features to use instead of musicnn-won-mtat.
    video
        Video features to use instead of r2plus1d_18-unscaled.
    """
    from antiphon.dual_encoder import DualEncoder
    from antiphon.model.published_checkpoint import AUDIO_NAME, VIDEO_NAME

    chosen = {"audio": audio or AUDIO_NAME, "video": video or VIDEO_NAME}
    model = DualEncoder.from_published(file, audio_name=chosen["audio"], video_name=chosen["video"])
    folder = session.workspace.run(name)
    with session.workspace.lock():
        model.save(folder)
    others = [name for name, own in zip(chosen.values(), (AUDIO_NAME, VIDEO_NAME), strict=True) if name != own]
    if others:
        session.warn(
            f"These heads were not trained on features of {' and '.join(others)}: their results say little about the "
            "published model."
        )
    data = {"run": name, "folder": str(folder), "heads": model.recipe.heads, "dim": model.dim, **chosen}
    session.result(
        data,
        lambda out: out.print(
            f"Run {name}: {model.recipe.description}. Features {chosen['audio']} and {chosen['video']}, "
            f"embeddings of {model.dim} values.",
            soft_wrap=True,
        ),
    )
