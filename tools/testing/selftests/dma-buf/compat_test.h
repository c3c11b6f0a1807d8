/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls as a 32-bit program on a 64-bit kernel does them.
 */
#ifndef COMPAT_TEST_H
#define COMPAT_TEST_H

#ifdef __x86_64__
#include <setjmp.h>

#include "dmabuf_test.h"

static sigjmp_buf no_compat;
static bool compat_works;

static inline void on_sigsegv(int sig)
{
	(void)sig;
	siglongjmp(no_compat, 1);
}

/* The error as return value. @arg lies in low_memory(), or is NULL. */
static inline int ioctl32(int fd, unsigned int cmd, const void *arg)
{
	int ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (cmd), "d" ((__u32)(uintptr_t)arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* Can the kernel run 32-bit programs at all? */
static inline bool has_compat(void)
{
	struct sigaction action = { .sa_handler = on_sigsegv }, old;

	sigaction(SIGSEGV, &action, &old);
	if (!sigsetjmp(no_compat, 1))
		compat_works = ioctl32(-1, 0, NULL) == -EBADF;
	sigaction(SIGSEGV, &old, NULL);
	return compat_works;
}

/* A page where a 32-bit program can reach it, or MAP_FAILED. */
static inline void *low_memory(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}
#endif /* __x86_64__ */

#endif /* COMPAT_TEST_H */
