"""System V IPC and POSIX message queues (sysvipc(7), mq_overview(7)): objects that an IPC namespace names."""
