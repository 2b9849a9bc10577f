"""Splits what a peer sends into MQTT 5 packets, each whole before it is decoded.

A packet's length is judged before its body is waited for. The codec (`mqtt5`) knows packets only; what may
come when is the link's.
"""

import mqtt5
from mqtt5 import DisconnectReasonCode as Reason

from liftgate.codecs.mqtt.text import CONNECT, check_text

PACKET_BYTES_BEFORE_CONNACK = 4096
"""A CONNECT with the longest id, a key and a will fits; a stranger gets no more memory."""

HEAD_BYTES_MAX = 5


class PacketError(Exception):
    """The peer broke MQTT: DISCONNECT (CONNACK before that went) with `reason`, and close."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class OtherVersion(PacketError):
    """A CONNECT of another version of MQTT; level: 3 is 3.1, 4 is 3.1.1."""

    def __init__(self, level: int) -> None:
        super().__init__(Reason.PROTOCOL_ERROR, f"protocol level {level}, only 5 is spoken")
        self.level = level


class PacketReader:
    """feed() bytes, then take() packets until there is none.

    packet_bytes_max: of a whole packet. After a PacketError nothing more is read. Who knows a packet at sight
    may `peek` and take it from `data` by moving `at` to its end.
    """

    def __init__(self) -> None:
        self.packet_bytes_max = PACKET_BYTES_BEFORE_CONNACK
        self.data = b""
        self.at = 0

    def feed(self, data: bytes) -> None:
        """Add what was received. Only an unfinished packet is ever kept back."""
        self.data = self.data[self.at :] + data if self.at < len(self.data) else data
        self.at = 0

    def peek(self) -> tuple[int, int, int]:
        """(first byte, where its body begins and ends) of a short packet that is all there; else zeros."""
        data, at = self.data, self.at
        if len(data) - at < 2 or data[at + 1] > 0x7F or len(data) - at < 2 + data[at + 1]:
            return 0, 0, 0
        return data[at], at + 2, at + 2 + data[at + 1]

    def take(self) -> mqtt5.Packet | None:
        """The next packet, None when more bytes are needed. Raises PacketError."""
        data, at = self.data, self.at
        body_at, end = self._measure(data, at)
        if end > len(data):
            return None
        self.at = end
        head, body = data[at], data[body_at:end]
        if head >> 4 == CONNECT:
            _check_version(body)
        try:
            check_text(head, body)
            packet, _ = mqtt5.read(memoryview(data)[at:end])
        except UnicodeDecodeError as error:
            raise PacketError(Reason.MALFORMED_PACKET, "text is not UTF-8") from error
        except (ValueError, IndexError) as error:
            raise PacketError(Reason.MALFORMED_PACKET, str(error)[:200]) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # pyo3's, which is no Exception and has no module
                raise
            raise PacketError(Reason.MALFORMED_PACKET, "the codec gave up on it") from error
        return packet

    def _measure(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the body begins and ends; an end beyond what is there: more is needed."""
        size = shift = 0
        for place in range(at + 1, at + HEAD_BYTES_MAX):
            if place >= len(data):
                return place, len(data) + 1
            size |= (data[place] & 0x7F) << shift
            shift += 7
            if data[place] < 0x80:
                end = place + 1 + size
                if end - at > self.packet_bytes_max:
                    raise PacketError(Reason.PACKET_TOO_LARGE, f"more than {self.packet_bytes_max} bytes")
                return place + 1, end
        raise PacketError(Reason.MALFORMED_PACKET, "a length of more than four bytes")


def _check_version(body: bytes) -> None:
    """Tell an older client apart from noise. Raises OtherVersion."""
    for name in (b"\x00\x04MQTT", b"\x00\x06MQIsdp"):
        if body.startswith(name) and len(body) > len(name) and body[len(name)] != 5:
            raise OtherVersion(body[len(name)])
