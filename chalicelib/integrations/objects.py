"""Object storage: files that are too large for an answer, and links to fetch them for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from chalicelib.config import Config

PART_BYTES = 8 * 1024 * 1024
"""Of a multipart upload; S3 takes no smaller ones than 5 MB, except for the last."""
READ_BYTES = 256 * 1024
LINK_SECONDS = 300


class Objects:
    """A bucket, by default the stage's for exports.

    Nothing in that one can be read from outside without a signed link.
    """

    def __init__(self, config: Config, bucket: str | None = None) -> None:
        self._config = config
        self._other = bucket

    def put(self, owner: str, pieces: Iterable[bytes], content_type: str, file_name: str) -> str:
        """Store ``pieces`` as one object under the owner's prefix, a part in memory at a time.

        A link to it that works for :data:`LINK_SECONDS`; the object itself goes after a day.
        """
        key = f"exports/{owner}/{uuid4()}"
        where = {"Bucket": self._bucket, "Key": key}
        disposition = f'attachment; filename="{file_name}"'
        told = {"ContentType": content_type, "ContentDisposition": disposition}
        self._upload(where, _parts(pieces), told)
        link = self._client.generate_presigned_url(
            "get_object", Params=where, ExpiresIn=LINK_SECONDS
        )
        return str(link)

    def write(self, key: str, pieces: Iterable[bytes], content_type: str) -> int:
        """Store ``pieces`` as the object ``key``, a part in memory at a time; its bytes in all.

        What is there under this key is replaced in one step, once all of it is there.
        """
        where, told = {"Bucket": self._bucket, "Key": key}, {"ContentType": content_type}
        parts = _Counted(_parts(pieces))
        first = next(parts)
        second = next(parts, None)
        if second is None:  # a small one goes at once
            self._client.put_object(**where, **told, Body=first)
        else:
            self._upload(where, chain((first, second), parts), told)
        return parts.size

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of an object from ``start`` to before ``end``, some at a time.

        Raises :class:`FileNotFoundError` where there is no such object.
        """
        if end is not None and end <= start:
            return
        bounds = f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=bounds)
        except self._client.exceptions.NoSuchKey:
            raise FileNotFoundError(f"there is no object {key}") from None
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(READ_BYTES)

    def _upload(self, where: dict[str, str], parts: Iterable[bytes], told: dict[str, str]) -> None:
        upload = self._client.create_multipart_upload(**where, **told)["UploadId"]
        try:
            done = [
                self._part(where, upload, number, part)
                for number, part in enumerate(parts, start=1)
            ]
            self._client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": done}
            )
        except BaseException:
            with suppress(Exception):
                self._client.abort_multipart_upload(**where, UploadId=upload)
            raise

    def _part(self, where: dict[str, str], upload: str, number: int, part: bytes) -> dict[str, Any]:
        answer = self._client.upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    @property
    def _bucket(self) -> str:
        bucket = self._other or self._config.bucket
        if bucket is None:
            raise RuntimeError("BACKBONE_BUCKET is not set: there is no place for large exports")
        return bucket

    @cached_property
    def _client(self) -> Any:
        import botocore.session
        from botocore.config import Config as Settings

        addressing = {"addressing_style": "path" if self._config.endpoint_url else "virtual"}
        return botocore.session.get_session().create_client(
            "s3",
            region_name=self._config.region,
            endpoint_url=self._config.endpoint_url,
            config=Settings(
                signature_version="s3v4",
                s3=addressing,
                connect_timeout=2,
                read_timeout=20,
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )


def _parts(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes in parts of :data:`PART_BYTES`, at least one."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    yield bytes(waiting)


class _Counted(Iterator[bytes]):
    """Parts on their way; ``size`` is how many bytes have passed."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self.size = 0

    def __next__(self) -> bytes:
        part = next(self._parts)
        self.size += len(part)
        return part
