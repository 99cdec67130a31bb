"""The file store that an address names: a folder of this machine, or a bucket.

Above: composition roots. `file:///var/lib/uhi/files`, `s3://bucket/prefix?endpoint=https://…&region=ap-south-1`.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from uhi.errors import SetupError
from uhi.files.local import LocalFolder
from uhi.files.store import SECONDS, ObjectStore

_FORMS = "file:///folder, or s3://bucket/prefix?endpoint=https://host&region=name&style=path"
_OPTIONS = {"endpoint", "region", "style"}
_STYLES = {"path", "virtual"}
_OWN_MACHINE = {"127.0.0.1", "::1", "localhost"}


def open_store(url: str, *, credentials_file: Path | None = None, seconds: float = SECONDS) -> ObjectStore:
    """The store at an address; no call of it takes longer than `seconds`.

    A bucket takes `credentials_file` (0600; access key id and secret on a line each). Its `endpoint` is Amazon's own
    where it is left out, and is reached over https unless it is on this machine; `style` is `path` (the bucket stands
    in the path, which every store understands) or `virtual`.
    Raises: SetupError for an address of another form, a folder or file that cannot be used, or without the extra `s3`.
    """
    parts = _split(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/") and not parts.query:
        return LocalFolder(Path(unquote(parts.path)), seconds=seconds)
    if parts.scheme == "s3" and parts.netloc:
        return _bucket(parts, credentials_file, seconds)
    raise _unreadable("something else")


def _bucket(parts: SplitResult, credentials_file: Path | None, seconds: float) -> ObjectStore:
    try:
        from uhi.files.s3 import S3Place, S3Store, read_s3_credentials  # noqa: PLC0415  # of an extra
    except ImportError as error:
        raise SetupError(
            f"the settings ask for what is not installed: {error.name}",
            expected="uhi-network with the extra s3",
            next_step="install uhi-network again with its extra s3",
        ) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if set(options) - _OPTIONS or options.get("style", "path") not in _STYLES or "@" in parts.netloc:
        raise _unreadable("an option that is not known, or a name and password in it")
    endpoint = options.get("endpoint", "")
    _check_endpoint(endpoint)
    if credentials_file is None:
        raise SetupError("an S3 store cannot be used without credentials", next_step="name their file (mode 0600)")
    place = S3Place(
        bucket=parts.netloc,
        prefix=parts.path.strip("/"),
        endpoint=endpoint,
        region=options.get("region") or S3Place(bucket="").region,
        path_style=options.get("style", "path") == "path",
    )
    return S3Store(place, read_s3_credentials(credentials_file), seconds=seconds)


def _check_endpoint(endpoint: str) -> None:
    if not endpoint:
        return
    parts = _split(endpoint)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_MACHINE)
    if not is_safe or not parts.hostname or parts.username:
        raise SetupError(
            "the endpoint of the S3 store cannot be used", expected="https://host, or http:// on this very machine"
        )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise _unreadable("no address") from None


def _unreadable(got: str) -> SetupError:
    # The address is not repeated: somebody may have put a secret into it.
    return SetupError("the address of the file store has another form", got=got, expected=_FORMS)
