/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FPU and vector registers of user threads, saved and loaded at every switch
 * of a thread that has an area (never by a trap at first use, which leaks).
 *
 * The area is XSAVE's standard format, or FXSAVE's 512 bytes on older CPUs.
 * In signal frames Linux programs find, at byte 464 of the area, how long the
 * extension is, and a magic number behind it.
 */
#include <sys/errno.h>
#include <sys/malloc.h>
#include <sys/systm.h>
#include <sys/thread.h>
#include <platform/machdep.h>
#include <cpu/bulk.h>
#include <cpu/cpufunc.h>
#include <cpu/frame.h>

#include "pc64.h"

enum {
	FX_SIZE		= 512,
	XSAVE_HEADER	= 64,
	XFEATURE_AVX	= 0x04,
	XFEATURES_OURS	= 0xe7,		/* x87 SSE AVX, AVX-512's three */
	FRAME_MAGIC1	= 0x46505853,
	FRAME_MAGIC2	= 0x46505845,
	FRAME_SW	= 464,		/* software bytes in the FXSAVE area */
};

struct fpu_frame_sw {
	uint32_t	magic1, extended_size;
	uint64_t	xfeatures;
	uint32_t	xstate_size, zero[7];
};
_Static_assert(sizeof(struct fpu_frame_sw) == 48, "ABI");

uint8_t cpu_has_bulk;
static MALLOC_DEFINE(M_FPU, "fpu");
static uint64_t fpu_features;		/* 0: FXSAVE */
static uint32_t fpu_size = FX_SIZE;
static uint32_t fpu_mxcsr_mask = 0xffbf;
static uint8_t fpu_clean[FX_SIZE + XSAVE_HEADER]
    __attribute__((__aligned__(64)));

void
fpu_save(void *area)
{
	if (fpu_features != 0)
		__asm__ volatile("xsave64 (%0)" : : "r" (area),
		    "a" ((uint32_t)fpu_features),
		    "d" ((uint32_t)(fpu_features >> 32)) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r" (area) : "memory");
}

void
fpu_load(const void *area)
{
	if (fpu_features != 0)
		__asm__ volatile("xrstor64 (%0)" : : "r" (area),
		    "a" ((uint32_t)fpu_features),
		    "d" ((uint32_t)(fpu_features >> 32)) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r" (area) : "memory");
}

void
fpu_cpu_init(void)
{
	if (!cpu_has_xsave)
		return;
	lcr4(rcr4() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" : : "c" (0), "a" ((uint32_t)fpu_features),
	    "d" ((uint32_t)(fpu_features >> 32)));
}

void
fpu_init(void)
{
	uint16_t cw = 0x37f;
	uint32_t r[4], mxcsr = 0x1f80;

	memcpy(fpu_clean, &cw, sizeof(cw));
	memcpy(fpu_clean + 24, &mxcsr, sizeof(mxcsr));
	if (cpu_has_xsave) {
		cpuid(0x0d, 0, r);
		fpu_features = (r[0] | (uint64_t)r[3] << 32) & XFEATURES_OURS;
		if ((fpu_features & 0xe0) != 0xe0)
			fpu_features &= ~0xe0ULL;
		fpu_cpu_init();
		cpuid(0x0d, 0, r);
		fpu_size = r[1];	/* for what is now enabled */
		cpu_has_bulk = (fpu_features & XFEATURE_AVX) != 0;
	}
}

static void *
fpu_alloc(void)
{
	uint32_t size = FX_SIZE;

	while (size < fpu_size)		/* powers of two are aligned */
		size *= 2;
	return kmalloc(size, &M_FPU, M_WAITOK | M_ZERO);
}

void
md_fpu_init(struct thread *td)
{
	void *area = td->td_md.md_fpu;

	if (area == NULL)
		area = fpu_alloc();
	crit_enter();
	memset(area, 0, fpu_size);
	memcpy(area, fpu_clean, MIN(fpu_size, sizeof(fpu_clean)));
	td->td_md.md_fpu = area;
	if (td == curthread)
		fpu_load(area);
	crit_exit();
}

void
md_fpu_clone(struct thread *to)
{
	struct thread *td = curthread;

	if (to->td_md.md_fpu == NULL)
		to->td_md.md_fpu = fpu_alloc();
	if (td->td_md.md_fpu != NULL)
		fpu_save(to->td_md.md_fpu);
	else
		memcpy(to->td_md.md_fpu, fpu_clean,
		    MIN(fpu_size, sizeof(fpu_clean)));
}

void
md_fpu_free(struct thread *td)
{
	void *area;

	crit_enter();
	area = td->td_md.md_fpu;
	td->td_md.md_fpu = NULL;
	crit_exit();
	kfree(area, &M_FPU);
}

size_t
md_fpu_frame_size(void)
{
	return fpu_features != 0 ? fpu_size + sizeof(uint32_t) : FX_SIZE;
}

void
md_fpu_save_to(void *buf)
{
	struct thread *td = curthread;
	uint32_t magic2 = FRAME_MAGIC2;
	struct fpu_frame_sw sw = { 0 };

	/* By way of the aligned area: the frame has no alignment. */
	fpu_save(td->td_md.md_fpu);
	memcpy(buf, td->td_md.md_fpu, fpu_size);
	if (fpu_features != 0) {
		sw.magic1 = FRAME_MAGIC1;
		sw.extended_size = (uint32_t)md_fpu_frame_size();
		sw.xfeatures = fpu_features;
		sw.xstate_size = fpu_size;
		memcpy((char *)buf + fpu_size, &magic2, sizeof(magic2));
	}
	memcpy((char *)buf + FRAME_SW, &sw, sizeof(sw));
}

/* Would XRSTOR take this without a fault? */
static bool
state_ok(const uint8_t *buf)
{
	uint32_t mxcsr;
	uint64_t header[8];

	memcpy(&mxcsr, buf + 24, sizeof(mxcsr));
	if (mxcsr & ~fpu_mxcsr_mask)
		return false;
	if (fpu_features == 0)
		return true;
	memcpy(header, buf + FX_SIZE, sizeof(header));
	return (header[0] & ~fpu_features) == 0 && header[1] == 0 &&
	    header[2] == 0;
}

int
md_fpu_restore_from(const void *buf, size_t len)
{
	struct thread *td = curthread;
	struct fpu_frame_sw sw;

	if (len < FX_SIZE || td->td_md.md_fpu == NULL)
		return EINVAL;
	memcpy(&sw, (const char *)buf + FRAME_SW, sizeof(sw));
	if (fpu_features != 0 && (sw.magic1 != FRAME_MAGIC1 ||
	    sw.xstate_size != fpu_size || len < fpu_size))
		return EINVAL;
	if (!state_ok(buf))
		return EINVAL;
	crit_enter();
	memcpy(td->td_md.md_fpu, buf, fpu_size);
	memset((char *)td->td_md.md_fpu + FRAME_SW, 0, sizeof(sw));
	fpu_load(td->td_md.md_fpu);
	crit_exit();
	return 0;
}
