"""Clocks, interval timers and the time structures (time.h, sys/time.h, sys/timex.h)."""

from struct import Struct

# clocks
CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_REALTIME_COARSE = 5
CLOCK_MONOTONIC_COARSE = 6
CLOCK_BOOTTIME = 7
CLOCK_REALTIME_ALARM = 8
CLOCK_BOOTTIME_ALARM = 9
CLOCK_TAI = 11

# setitimer(2)
ITIMER_REAL = 0
ITIMER_VIRTUAL = 1
ITIMER_PROF = 2

# clock_nanosleep(2), timer_settime(2)
TIMER_ABSTIME = 1

# adjtimex(2) modes
ADJ_OFFSET = 1
ADJ_FREQUENCY = 2
ADJ_MAXERROR = 4
ADJ_ESTERROR = 8
ADJ_STATUS = 0x10
ADJ_TIMECONST = 0x20
ADJ_TAI = 0x80
ADJ_SETOFFSET = 0x100
ADJ_MICRO = 0x1000
ADJ_NANO = 0x2000
ADJ_TICK = 0x4000
ADJ_OFFSET_SINGLESHOT = 0x8001
ADJ_OFFSET_SS_READ = 0xA001

# adjtimex(2) status
STA_PLL = 1
STA_PPSFREQ = 2
STA_PPSTIME = 4
STA_FLL = 8
STA_INS = 0x10
STA_DEL = 0x20
STA_UNSYNC = 0x40
STA_FREQHOLD = 0x80
STA_PPSSIGNAL = 0x100
STA_PPSJITTER = 0x200
STA_PPSWANDER = 0x400
STA_PPSERROR = 0x800
STA_CLOCKERR = 0x1000
STA_NANO = 0x2000
STA_MODE = 0x4000
STA_CLK = 0x8000
STA_RONLY = 0xFF00

# adjtimex(2) results
TIME_OK = 0
TIME_INS = 1
TIME_DEL = 2
TIME_OOP = 3
TIME_WAIT = 4
TIME_BAD = 5
TIME_ERROR = 5

#: struct timespec: tv_sec tv_nsec
TIMESPEC = Struct("<qq")
#: struct timeval: tv_sec tv_usec
TIMEVAL = Struct("<qq")
#: struct itimerspec: it_interval it_value, each s ns
ITIMERSPEC = Struct("<qqqq")
#: struct itimerval: it_interval it_value, each s us
ITIMERVAL = Struct("<qqqq")
#: struct timezone: tz_minuteswest tz_dsttime
TIMEZONE = Struct("<ii")
#: struct tms: utime stime cutime cstime in ticks
TMS = Struct("<qqqq")
#: struct timex: modes offset freq maxerror esterror status constant precision tolerance time(s, us) tick ppsfreq jitter shift
#: stabil jitcnt calcnt errcnt stbcnt tai
TIMEX = Struct("<I4xqqqqi4xqqqqqqqqi4xqqqqqi44x")
NSEC_PER_SEC = 1_000_000_000
NSEC_PER_USEC = 1_000
USER_HZ = 100
