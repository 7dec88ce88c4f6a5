"""A folder behind SFTP. The host is known by its key, or not spoken to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import paramiko

from adapters.errors import ConnectionInvalid, TargetRefuses, TargetUnavailable, UnknownOutcome
from adapters.targets.drop.places import whole


class Sftp:
    """A folder there; each call is a session of its own."""

    def __init__(self, name: str, options: Mapping[str, Any], root: str) -> None:
        """`options`: host, port, user, password or key (a file), host_key ("ssh-ed25519 AAAA..."). No call yet."""
        missing = [word for word in ("host", "user", "host_key") if not options.get(word)]
        if missing:
            raise ConnectionInvalid(f"target {name}: `sftp.{missing[0]}` is missing.", target=name)
        self.name, self.root = name, root.rstrip("/") or "."
        self._options, self._host_key = options, _key(name, str(options["host_key"]))

    def check(self) -> str:
        """The host and the folder."""
        with self._session() as sftp:
            sftp.stat(self.root)
        return f"sftp {self._options['host']}, folder {self.root}"

    def put(self, name: str, content: bytes) -> None:
        """As `NAME.part`, then renamed. Raises TargetUnavailable, UnknownOutcome when nobody confirms the renaming."""
        there = f"{self.root}/{name}"
        with self._session() as sftp:
            if _size(sftp, there) == len(content):
                return
            with sftp.open(f"{there}.part", "wb") as stream:
                stream.set_pipelined(pipelined=True)
                stream.write(content)
            if _size(sftp, f"{there}.part") != len(content):
                raise TargetUnavailable(f"{self.name} did not keep all of {name}; it was not renamed.")
            try:
                _rename(sftp, f"{there}.part", there)
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise UnknownOutcome(f"{self.name} was told to rename {name}, and did not confirm it.") from error

    def names(self, folder: str) -> list[str]:
        """Finished files only."""
        with self._session() as sftp:
            try:
                return sorted(name for name in sftp.listdir(f"{self.root}/{folder}") if whole(name))
            except FileNotFoundError:
                return []

    def get(self, folder: str, name: str) -> bytes:
        """What a file holds."""
        with self._session() as sftp, sftp.open(f"{self.root}/{folder}/{name}", "rb") as stream:
            return bytes(stream.read())

    @contextmanager
    def _session(self) -> Iterator[paramiko.SFTPClient]:
        client, said = paramiko.SSHClient(), self._options
        port = int(said.get("port", 22))
        known = said["host"] if port == 22 else f"[{said['host']}]:{port}"
        client.get_host_keys().add(known, self._host_key.get_name(), self._host_key)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.connect(
                said["host"], port, said["user"], said.get("password"), key_filename=said.get("key"),
                timeout=10, banner_timeout=10, auth_timeout=10, channel_timeout=10, allow_agent=False,
                look_for_keys=False,
            )  # fmt: skip
            with client.open_sftp() as sftp:
                sftp.get_channel().settimeout(60)
                yield sftp
        except (paramiko.AuthenticationException, paramiko.BadHostKeyException, PermissionError) as error:
            raise TargetRefuses(f"{self.name} does not let us in ({type(error).__name__}).") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise TargetUnavailable(f"{self.name} cannot be reached ({type(error).__name__}).") from error
        finally:
            client.close()


def _rename(sftp: paramiko.SFTPClient, old: str, new: str) -> None:
    """Over what may be there; a server without that extension renames all the same."""
    try:
        sftp.posix_rename(old, new)
    except OSError as error:
        if "unsupported" not in str(error).lower():
            raise
        sftp.rename(old, new)


def _size(sftp: paramiko.SFTPClient, path: str) -> int | None:
    try:
        size: int | None = sftp.stat(path).st_size
        return size
    except FileNotFoundError:
        return None


def _key(name: str, said: str) -> paramiko.PKey:
    kind, _, rest = said.strip().partition(" ")
    try:
        return paramiko.PKey.from_type_string(kind, base64.b64decode(rest.split(" ")[0]))
    except (binascii.Error, paramiko.SSHException, paramiko.UnknownKeyType, ValueError) as error:
        raise ConnectionInvalid(f"target {name}: `sftp.host_key` is no key ({type(error).__name__}).") from error
