"""The checksum of TFRecords, LevelDB tables and TensorFlow checkpoints."""

import google_crc32c

_MASK = 0xA282EAD8


def masked_crc32c(data: bytes) -> int:
    """Compute the CRC-32C of bytes, rotated and offset as these formats store it.

    Parameters
    ----------
    data : bytes
        The bytes.

    Returns
    -------
    int
        Unsigned 32-bit number.

    Examples
    --------
    >>> hex(masked_crc32c(b"123456789"))
    '0xc78ab0e5'
    """
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF
