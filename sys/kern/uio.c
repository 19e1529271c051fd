/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving data between kernel memory and the buffers of a request. */
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/uio.h>

static int
uio_move_one(void *kaddr, uint64_t addr, size_t n, const struct uio *uio)
{
	if (uio->uio_kernel) {
		if (uio->uio_write)
			memcpy(kaddr, (void *)(uintptr_t)addr, n);
		else
			memcpy((void *)(uintptr_t)addr, kaddr, n);
		return 0;
	}
	return uio->uio_write ? copyin(addr, kaddr, n) :
	    copyout(kaddr, addr, n);
}

int
uiomove(void *kaddr, size_t len, struct uio *uio)
{
	struct uio_iov *iov;
	size_t n;
	int error;

	while (len > 0 && uio->uio_resid > 0 && uio->uio_iovcnt > 0) {
		iov = uio->uio_iov;
		n = MIN(MIN(len, iov->len), uio->uio_resid);
		if (n > 0) {
			error = uio_move_one(kaddr, iov->base, n, uio);
			if (error)
				return error;
			iov->base += n;
			iov->len -= n;
			uio->uio_resid -= n;
			uio->uio_offset += (off_t)n;
			kaddr = (char *)kaddr + n;
			len -= n;
		}
		if (iov->len == 0) {
			uio->uio_iov++;
			uio->uio_iovcnt--;
		}
	}
	return 0;
}

void
uio_kernel_init(struct uio *uio, struct uio_iov *iov, void *buf, size_t len,
    off_t offset, bool write)
{
	iov->base = (uintptr_t)buf;
	iov->len = len;
	uio->uio_iov = iov;
	uio->uio_iovcnt = 1;
	uio->uio_offset = offset;
	uio->uio_resid = len;
	uio->uio_write = write;
	uio->uio_kernel = true;
}
