"""Netlink and its route family (netlink(7), rtnetlink(7), linux/if_link.h, linux/if_addr.h, linux/fib_rules.h)."""

from struct import Struct

NETLINK_ROUTE = 0

NLMSG_NOOP = 1
NLMSG_ERROR = 2
NLMSG_DONE = 3

NLM_F_REQUEST = 1
NLM_F_MULTI = 2
NLM_F_ACK = 4
NLM_F_DUMP = 0x300
NLM_F_CAPPED = 0x100

# SOL_NETLINK options
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_DROP_MEMBERSHIP = 2
NETLINK_PKTINFO = 3
NETLINK_BROADCAST_ERROR = 4
NETLINK_NO_ENOBUFS = 5
NETLINK_LIST_MEMBERSHIPS = 9
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11
NETLINK_GET_STRICT_CHK = 12

# requests: NEW, DEL, GET, SET in groups of four
RTM_NEWLINK = 16
RTM_GETLINK = 18
RTM_NEWADDR = 20
RTM_GETADDR = 22
RTM_NEWROUTE = 24
RTM_GETROUTE = 26
RTM_NEWNEIGH = 28
RTM_GETNEIGH = 30
RTM_NEWRULE = 32
RTM_GETRULE = 34
RTM_KIND_MASK = 3
RTM_KIND_GET = 2

IFLA_ADDRESS = 1
IFLA_BROADCAST = 2
IFLA_IFNAME = 3
IFLA_MTU = 4
IFLA_QDISC = 6
IFLA_STATS = 7
IFLA_TXQLEN = 13
IFLA_OPERSTATE = 16
IFLA_LINKMODE = 17
IFLA_STATS64 = 23
IFLA_GROUP = 27
IFLA_PROMISCUITY = 30
IFLA_NUM_TX_QUEUES = 31
IFLA_NUM_RX_QUEUES = 32
IFLA_CARRIER = 33
IFLA_MIN_MTU = 50
IFLA_MAX_MTU = 51

IFA_ADDRESS = 1
IFA_LOCAL = 2
IFA_LABEL = 3
IFA_BROADCAST = 4
IFA_CACHEINFO = 6
IFA_FLAGS = 8
IFA_PROTO = 11
IFA_F_PERMANENT = 0x80
IFAPROT_KERNEL_LO = 1

RTA_DST = 1
RTA_SRC = 2
RTA_OIF = 4
RTA_GATEWAY = 5
RTA_PRIORITY = 6
RTA_PREFSRC = 7
RTA_CACHEINFO = 12
RTA_TABLE = 15
RTA_PREF = 20
RTA_UID = 25

RTN_UNICAST = 1
RTN_LOCAL = 2
RTN_BROADCAST = 3
RTPROT_KERNEL = 2
RTPROT_BOOT = 3
RT_SCOPE_UNIVERSE = 0
RT_SCOPE_LINK = 253
RT_SCOPE_HOST = 254
RT_TABLE_DEFAULT = 253
RT_TABLE_MAIN = 254
RT_TABLE_LOCAL = 255
RTM_F_CLONED = 0x200
RTCF_LOCAL = 0x80000000

NDA_DST = 1
NDA_LLADDR = 2
NUD_STALE = 4
NUD_VALID = 0xDE  # permanent, noarp, reachable, probe, stale, delay

FRA_PRIORITY = 6
FRA_SUPPRESS_PREFIXLEN = 14
FRA_TABLE = 15
FRA_PROTOCOL = 21
FR_ACT_TO_TBL = 1

IF_OPER_UNKNOWN = 0
IF_OPER_DOWN = 2
IF_OPER_UP = 6
ARPHRD_ETHER = 1
ARPHRD_LOOPBACK = 772
IFF_UP = 0x1
IFF_BROADCAST = 0x2
IFF_LOOPBACK = 0x8
IFF_RUNNING = 0x40
IFF_MULTICAST = 0x1000
IFF_LOWER_UP = 0x10000

#: struct nlmsghdr: len type flags seq pid
NLMSGHDR = Struct("<IHHII")
#: struct sockaddr_nl: family pid groups
SOCKADDR_NL = Struct("<H2xII")
#: struct rtattr: len type
RTATTR = Struct("<HH")
#: struct ifinfomsg: family type index flags change
IFINFOMSG = Struct("<BxHiII")
#: struct ifaddrmsg: family prefixlen flags scope index
IFADDRMSG = Struct("<BBBBI")
#: struct rtmsg: family dst_len src_len tos table protocol scope type flags; struct fib_rule_hdr has the same form
RTMSG = Struct("<8BI")
NDMSG = Struct("<B3xiHBB")  # family, device, state, flags, type
#: struct ifa_cacheinfo: preferred valid created updated
IFA_CACHEINFO_STRUCT = Struct("<4I")
#: struct rta_cacheinfo: clntref lastuse expires error used id ts tsage
RTA_CACHEINFO_STRUCT = Struct("<2Ii5I")
