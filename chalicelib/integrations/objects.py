"""Object storage: files that are too large for an answer, and links to fetch them for a while."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from chalicelib.config import Config

PART_BYTES = 8 * 1024 * 1024
"""Of a multipart upload; S3 takes no smaller ones than 5 MB, except for the last."""
LINK_SECONDS = 300


class Objects:
    """The stage's bucket for exports.  Nothing in it can be read without a signed link."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def put(self, owner: str, pieces: Iterable[bytes], content_type: str, file_name: str) -> str:
        """Store ``pieces`` as one object under the owner's prefix, a part in memory at a time.

        A link to it that works for :data:`LINK_SECONDS`; the object itself goes after a day.
        """
        key = f"exports/{owner}/{uuid4()}"
        where = {"Bucket": self._bucket, "Key": key}
        told = {
            "ContentType": content_type,
            "ContentDisposition": f'attachment; filename="{file_name}"',
        }
        upload = self._client.create_multipart_upload(**where, **told)["UploadId"]
        try:
            parts = [
                self._part(where, upload, number, part)
                for number, part in enumerate(_parts(pieces), start=1)
            ]
            self._client.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            with suppress(Exception):
                self._client.abort_multipart_upload(**where, UploadId=upload)
            raise
        link = self._client.generate_presigned_url(
            "get_object", Params=where, ExpiresIn=LINK_SECONDS
        )
        return str(link)

    def _part(self, where: dict[str, str], upload: str, number: int, part: bytes) -> dict[str, Any]:
        answer = self._client.upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    @property
    def _bucket(self) -> str:
        if self._config.bucket is None:
            raise RuntimeError("BACKBONE_BUCKET is not set: there is no place for large exports")
        return self._config.bucket

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
