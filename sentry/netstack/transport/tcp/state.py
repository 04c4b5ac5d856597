"""The states of RFC 9293 section 3.3.2 with Linux's numbers, as TCP_INFO and /proc/net/tcp show them."""

ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSED, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = range(1, 12)
CAN_SEND = frozenset((ESTABLISHED, CLOSE_WAIT))
SENDS = frozenset((ESTABLISHED, CLOSE_WAIT, FIN_WAIT1, CLOSING, LAST_ACK))  # may still have data or a FIN to send
RECEIVES = frozenset((ESTABLISHED, FIN_WAIT1, FIN_WAIT2))
