"""Read the whole body, in pieces, and answer its length and checksum."""

from zlib import crc32

from cgikit import Limits, Response, run


def upload(request):
    """Take in a body of any type."""
    size = checksum = 0
    while piece := request.stream.read(1 << 18):
        size += len(piece)
        checksum = crc32(piece, checksum)
    return Response.text(f"{size} {checksum:08x}")


if __name__ == "__main__":
    run(upload, limits=Limits(body=4 << 30))
