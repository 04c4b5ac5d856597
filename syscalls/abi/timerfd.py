"""timerfd_create(2) and timerfd_settime(2) flags."""

TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2
TFD_NONBLOCK = 0o4000
TFD_CLOEXEC = 0o2000000
