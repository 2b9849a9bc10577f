"""What frames say, in MQTT's words: codes of ERROR and reasons of GOODBYE as reason codes."""

from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, PubAckReasonCode

from liftgate.codecs.frame import Fault

_PUBACK = {
    Fault.TOO_LONG: PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.BAD_BODY: PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.BAD_FIELD: PubAckReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.UNKNOWN_TYPE: PubAckReasonCode.TOPIC_NAME_INVALID,
    Fault.NOT_ALLOWED: PubAckReasonCode.NOT_AUTHORIZED,
    Fault.TOO_MANY_IN_FLIGHT: PubAckReasonCode.QUOTA_EXCEEDED,
    Fault.TOO_MANY_GAPS: PubAckReasonCode.QUOTA_EXCEEDED,
}

_DISCONNECT = {
    Fault.TOO_LONG: DisconnectReasonCode.PACKET_TOO_LARGE,
    Fault.BAD_BODY: DisconnectReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.BAD_FIELD: DisconnectReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.NOT_ALLOWED: DisconnectReasonCode.PROTOCOL_ERROR,
    Fault.TOO_MANY_IN_FLIGHT: DisconnectReasonCode.RECEIVE_MAX_EXCEEDED,
    Fault.TOO_MANY_GAPS: DisconnectReasonCode.QUOTA_EXCEEDED,
    Fault.UNAVAILABLE: DisconnectReasonCode.SERVER_BUSY,
    Fault.TOO_SLOW: DisconnectReasonCode.QUOTA_EXCEEDED,
}

_CONNACK = {
    Fault.REFUSED: ConnAckReasonCode.NOT_AUTHORIZED,
    Fault.UNAVAILABLE: ConnAckReasonCode.SERVER_BUSY,
    Fault.BAD_VERSION: ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
    Fault.BAD_BODY: ConnAckReasonCode.PAYLOAD_FORMAT_INVALID,
    Fault.BAD_FIELD: ConnAckReasonCode.PAYLOAD_FORMAT_INVALID,
}

_FAREWELLS = {
    "replaced": DisconnectReasonCode.SESSION_TAKEN_OVER,
    "stopping": DisconnectReasonCode.SERVER_SHUTTING_DOWN,
    "silent": DisconnectReasonCode.KEEP_ALIVE_TIMEOUT,
}


def puback_of(code: int) -> PubAckReasonCode:
    """For the PUBLISH that ERROR `code` answers; the number itself goes along as the reason string."""
    return _PUBACK.get(Fault(code), PubAckReasonCode.IMPLEMENTATION_SPECIFIC_ERROR)


def disconnect_of(code: int) -> DisconnectReasonCode:
    """For the end that follows a fatal ERROR."""
    return _DISCONNECT.get(Fault(code), DisconnectReasonCode.IMPLEMENTATION_SPECIFIC_ERROR)


def connack_of(code: int) -> ConnAckReasonCode:
    """For a sign-on that ends with ERROR `code`."""
    return _CONNACK.get(Fault(code), ConnAckReasonCode.PROTOCOL_ERROR)


def farewell_of(reason: str) -> DisconnectReasonCode:
    """For the end that GOODBYE announces; any other than those of the protocol's is somebody's order."""
    return _FAREWELLS.get(reason, DisconnectReasonCode.ADMINISTRATIVE_ACTION)
