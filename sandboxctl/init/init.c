/*
 * The init of `sandboxctl run --init`: pid 1 of the guest. Starts the command, passes signals on to it, reaps orphans and ends as the
 * command ends. Runs inside the sandbox, like any program; needs no C library, so it works with every image.
 *
 *     init COMMAND [ARG...]
 */
#include <linux/signal.h>
#include <linux/wait.h>
#include <sys/syscall.h>
#include <stddef.h>
#include <stdint.h>

#define ENOENT 2
#define EINTR 4
#define EACCES 13
#define ENOTDIR 20
#define TIOCSPGRP 0x5410
#define PATH_MAX_OWN 4096

static long call(long nr, long a, long b, long c, long d)
{
	long result;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

static _Noreturn void leave(int status)
{
	for (;;)
		call(SYS_exit_group, status, 0, 0, 0);
}

static size_t length(const char *text)
{
	size_t count = 0;

	while (text[count])
		count++;
	return count;
}

static void say(const char *text)
{
	call(SYS_write, 2, (long)text, (long)length(text), 0);
}

static const char *variable(char **environment, const char *name)
{
	size_t count = length(name);

	for (; *environment; environment++) {
		size_t i = 0;

		while (i < count && (*environment)[i] == name[i])
			i++;
		if (i == count && (*environment)[i] == '=')
			return *environment + count + 1;
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* execvp(3): returns the error number if nothing could be executed. */
static long execute(char **argv, char **environment)
{
	const char *name = argv[0], *path = variable(environment, "PATH");
	static char place[PATH_MAX_OWN];
	long error = ENOENT;
	size_t i, name_length = length(name);

	for (i = 0; i < name_length; i++)
		if (name[i] == '/')
			return -call(SYS_execve, (long)name, (long)argv, (long)environment, 0);
	while (*path) {
		size_t count = 0;
		long failed;

		while (*path && *path != ':' && count < sizeof(place) - 2)
			place[count++] = *path++;
		while (*path && *path != ':')
			path++;
		if (*path == ':')
			path++;
		if (count + name_length + 2 > sizeof(place))
			continue;
		place[count++] = '/';
		for (i = 0; i <= name_length; i++)
			place[count + i] = name[i];
		failed = -call(SYS_execve, (long)place, (long)argv, (long)environment, 0);
		if (failed != ENOENT && failed != ENOTDIR)
			error = failed;
	}
	return error;
}

static _Noreturn void become_command(char **argv, char **environment, const uint64_t *mask)
{
	int group = (int)call(SYS_getpid, 0, 0, 0, 0);
	long error;

	call(SYS_setpgid, 0, 0, 0, 0);
	call(SYS_ioctl, 0, TIOCSPGRP, (long)&group, 0); /* fails without a terminal, which is right */
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)mask, 0, sizeof(*mask));
	error = execute(argv, environment);
	say("sandboxctl: ");
	say(argv[0]);
	say(error == ENOENT || error == ENOTDIR ? ": executable file not found\n" : ": cannot execute\n");
	leave(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* Reap what has ended; returns the exit status of `command` once it has, else -1. */
static int reap(long command)
{
	int status, result = -1;
	long pid;

	while ((pid = call(SYS_wait4, -1, (long)&status, WNOHANG, 0)) > 0)
		if (pid == command)
			result = (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
	return result;
}

static _Noreturn __attribute__((used)) void start(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1), **environment = argv + argc + 1;
	uint64_t all = ~0ULL, before = 0;
	long command;

	if (argc < 2) {
		say("sandboxctl: init needs a command\n");
		leave(125);
	}
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof(all));
	command = call(SYS_clone, SIGCHLD, 0, 0, 0);
	if (command == 0)
		become_command(argv + 1, environment, &before);
	if (command < 0) {
		say("sandboxctl: init cannot start a process\n");
		leave(125);
	}
	for (;;) {
		long signo = call(SYS_rt_sigtimedwait, (long)&all, 0, 0, sizeof(all));
		int status;

		if (signo > 0 && signo != SIGCHLD)
			call(SYS_kill, command, signo, 0, 0);
		status = reap(command);
		if (status >= 0)
			leave(status);
	}
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
