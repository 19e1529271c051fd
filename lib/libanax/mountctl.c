/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/syscall.h>

#include <libanax/anax.h>

enum { SYS_mountctl_anax = 0x1000 };

long
mountctl(const char *path, int op, int fd, const void *in, size_t inlen,
    void *out, size_t outlen)
{
	if (inlen > UINT32_MAX || outlen > UINT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_mountctl_anax, path, (long)op, (long)fd, in, out,
	    (uint64_t)inlen | (uint64_t)outlen << 32);
}
