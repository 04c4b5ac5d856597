"""What both IP versions give to the layers above."""


class Packet:
    """One IP packet. ``raw`` is as it came, for the quotes of ICMP errors; ``fragment`` is (identification, offset, more)."""

    __slots__ = ("destination", "dont_fragment", "fragment", "header_size", "interface", "is_checked", "is_large", "payload",
                 "protocol", "raw", "source", "tos", "ttl")  # fmt: skip

    def __init__(self, source: bytes, destination: bytes, protocol: int, payload: bytes, ttl: int = 64, tos: int = 0) -> None:
        self.source = source
        self.destination = destination
        self.protocol = protocol
        self.payload = payload
        self.ttl = ttl
        self.tos = tos
        self.raw = b""
        self.header_size = 0
        self.interface = 0  # the index of where it came in
        self.fragment: tuple[int, int, bool] | None = None
        self.dont_fragment = False
        self.is_checked = False  # the link vouches for the TCP checksum
        self.is_large = False  # the link cuts it into packets of the MTU's size
