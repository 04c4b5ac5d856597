"""sysinfo(2)."""

from struct import Struct

#: struct sysinfo: uptime loads[3] totalram freeram sharedram bufferram totalswap freeswap procs totalhigh freehigh mem_unit
SYSINFO = Struct("<q3QQQQQQQH6xQQI4x")
