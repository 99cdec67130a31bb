"""The folder `.uhi` that `uhi dev` keeps: keys made on the fly, what the programs accepted, and settings for
`uhi search`. Mode 0700."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from uhi.errors import SetupError
from uhi.exchange.trust import RegistryTrust
from uhi.keeping import Keeping, keeping_in_database
from uhi.ports import Clock
from uhi.settings import Settings
from uhi.signing import PrivateKey
from uhi.signing.key_files import read_private_bytes, read_private_key_file, write_private_key_file, write_private_text
from uhi.storage.sealing import Sealing, new_body_key, read_body_key_file

FOLDER = Path(".uhi")
SEARCHER = "search.example"


@dataclass(frozen=True, slots=True)
class Home:
    """One such folder."""

    folder: Path = FOLDER

    def key(self, subscriber_id: str) -> PrivateKey:
        """The key of a subscriber of the development network; made at its first use.

        Raises: SetupError when the folder or the key in it cannot be used.
        """
        path = self.key_file(subscriber_id)
        if not path.exists():
            self._make(path.parent)
            write_private_key_file(path, PrivateKey.new())
        return read_private_key_file(path)

    def key_file(self, subscriber_id: str) -> Path:
        """Where a subscriber's key is."""
        return self.folder / "keys" / f"{subscriber_id}.pem"

    def keeping(self, subscriber_id: str, clock: Clock) -> Keeping:
        """Where a program of the development network keeps what it promised: a SQLite file of its own, its bodies
        encrypted with a key made at the first use.

        Raises: SetupError when the folder, the key or the file cannot be used.
        """
        self._make(self.folder)
        url = self.database_url(subscriber_id)
        return keeping_in_database(url, self._sealing(), clock=clock, owner=subscriber_id, subscriber_id=subscriber_id)

    def database_url(self, subscriber_id: str) -> str:
        """The address of that file."""
        return f"sqlite:///{self.folder / subscriber_id}.db"

    def password(self, subscriber_id: str) -> str:
        """The password of the one account that a program is made with; chosen at its first use.

        Raises: SetupError when the file it is kept in cannot be used.
        """
        path = self.folder / f"{subscriber_id}.password"
        if not path.exists():
            self._make(self.folder)
            write_private_text(path, secrets.token_urlsafe(15))
        return read_private_bytes(path).decode("ascii").strip()

    @property
    def body_key_file(self) -> Path:
        """Where the key is that bodies are encrypted with."""
        return self.folder / "body.key"

    def write_searcher(self, *, url: str, registry_url: str, gateway_url: str, registry: RegistryTrust) -> None:
        """Leave the settings with which `uhi search` takes part in the running development network."""
        self._make(self.folder)
        lines = {
            "UHI_SUBSCRIBER_ID": SEARCHER,
            "UHI_KEY_ID": "k1",
            "UHI_KEY_FILE": self.key_file(SEARCHER).absolute(),
            "UHI_URL": url,
            "UHI_REGISTRY_URL": registry_url,
            "UHI_GATEWAY_URL": gateway_url,
            "UHI_REGISTRY_ID": registry.registry_id,
            "UHI_REGISTRY_KEYS": ",".join(f"{name}={key.raw_base64()}" for name, key in registry.keys.items()),
        }
        self._searcher.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")

    def forget_searcher(self) -> None:
        """The development network has ended."""
        self._searcher.unlink(missing_ok=True)

    def settings(self) -> Settings:
        """The settings of the environment, or else those of the running development network.

        Raises: SetupError when neither says enough.
        """
        if self._searcher.exists():
            return Settings.read(self._searcher)
        try:
            return Settings.read()
        except SetupError as error:
            error.next_step = f"run it in the folder where `uhi dev` runs, or: {error.next_step}"
            raise

    @property
    def _searcher(self) -> Path:
        return self.folder / "search.env"

    def _sealing(self) -> Sealing:
        path = self.body_key_file
        if not path.exists():
            write_private_text(path, new_body_key())
        return read_body_key_file(path)

    def _make(self, folder: Path) -> None:
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SetupError(
                f"cannot make the folder {folder}",
                got=error.strerror or "an error",
                next_step="run it where you may write",
            ) from None
