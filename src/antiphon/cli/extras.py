"""Packages that only some verbs need, and the extra that brings each."""

EXTRAS = {
    "fastapi": "app",
    "starlette": "app",
    "uvicorn": "app",
    "prometheus_client": "app",
    "python_multipart": "app",
    "multipart": "app",
    "PIL": "hub",
    "transformers": "hub",
    "huggingface_hub": "hub",
    "ray": "ray",
    "lancedb": "lance",
    "openTSNE": "map",
    "s3fs": "s3",
    "aiohttp": "http",
}


def missing_package(error: ModuleNotFoundError) -> str | None:
    """Say which extra to install for a module that was not found.

    Parameters
    ----------
    error : ModuleNotFoundError
        What importing raised.

    Returns
    -------
    str or None
        A sentence; None where no extra has the module, so that its absence is a fault of ours.

    Examples
    --------
    >>> missing_package(ModuleNotFoundError("", name="uvicorn.config"))
    "This needs uvicorn. Run: pip install 'antiphon[app]'"
    """
    package = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(package)
    return None if extra is None else f"This needs {package}. Run: pip install 'antiphon[{extra}]'"
