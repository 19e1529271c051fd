/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structure offsets for assembly.  This file is compiled to assembly text, not
 * linked; files.mk turns the marked lines into assym.h.
 */
#include <sys/globaldata.h>
#include <platform/machdep.h>
#include <cpu/frame.h>

void	assym(void);

#define ASSYM(name, value)						\
	__asm__ volatile("\n@ASSYM " #name " %c0" : : "i" (value))

void
assym(void)
{
	ASSYM(GD_CURTHREAD, offsetof(struct globaldata, gd_curthread));
	ASSYM(GD_REQFLAGS, offsetof(struct globaldata, gd_reqflags));
	ASSYM(GD_KSTACK_TOP, offsetof(struct globaldata, gd_md.md_kstack_top));
	ASSYM(GD_USER_RSP, offsetof(struct globaldata, gd_md.md_user_rsp));
	ASSYM(TF_SIZE, sizeof(struct trapframe));
	ASSYM(TF_RIP, offsetof(struct trapframe, tf_rip));
	ASSYM(TF_RCX, offsetof(struct trapframe, tf_rcx));
	ASSYM(TF_R11, offsetof(struct trapframe, tf_r11));
	ASSYM(TF_CS, offsetof(struct trapframe, tf_cs));
	ASSYM(TF_RFLAGS, offsetof(struct trapframe, tf_rflags));
	ASSYM(TF_RSP, offsetof(struct trapframe, tf_rsp));
	ASSYM(ASSYM_UCODE, SEL_UCODE);
	ASSYM(ASSYM_UDATA, SEL_UDATA);
	ASSYM(ASSYM_KCODE, SEL_KCODE);
	ASSYM(ASSYM_T_SYSCALL, T_SYSCALL);
	ASSYM(ASSYM_PSL_BAD, 0x3f7fff & ~(PSL_USERSET | 2));
	ASSYM(ASSYM_PSL_I, PSL_I);
}
