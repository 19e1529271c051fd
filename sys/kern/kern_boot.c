/* SPDX-License-Identifier: BSD-2-Clause */
/* Process 1: made by hand here; every other process is its descendant. */
#include <sys/errno.h>
#include <sys/file.h>
#include <sys/initrd.h>
#include <sys/proc.h>
#include <sys/sysinfo.h>
#include <sys/systm.h>
#include <sys/ucred.h>
#include <cpu/frame.h>
#include <vm/vm_map.h>
#include <vm/vm_page.h>
#include <platform/machdep.h>

void	proc_init(void);
void	proc_start_init(void);
void	oom_kill(void);

void
proc_init(void)
{
	tsleep_signal_hook = sig_pending_error;
	vm_oom_hook = oom_kill;
	futex_init();
	usched_init();
}

/* "init=PATH" of the command line, or NULL. */
static const char *
init_from_cmdline(char *buf, size_t size)
{
	const char *s = strstr(md_cmdline(), "init=");
	size_t n = 0;

	if (s == NULL || (s != md_cmdline() && s[-1] != ' '))
		return NULL;
	for (s += 5; *s != '\0' && *s != ' ' && n + 1 < size; )
		buf[n++] = *s++;
	buf[n] = '\0';
	return buf;
}

static void
init_open_console(void)
{
	struct file *fp;
	int fd, i, error;

	error = fp_open("/dev/console", O_RDWR, 0, &fp);
	if (error) {
		kprintf("init: /dev/console: error %d\n", error);
		return;
	}
	for (i = 0; i < 3; i++) {
		file_ref(fp);		/* the descriptor's */
		if (fd_install(fp, 0, false, &fd) != 0 || fd != i)
			kprintf("init: descriptor %d\n", i);
	}
	file_rele(fp);
}

static void
init_try(const char *path)
{
	struct trapframe *tf = curlwp()->lwp_frame;
	const char *argv[2] = { path, NULL };
	int error;

	error = proc_exec(path, argv, 0, 0, tf);
	if (error == 0)
		md_user_return(tf);
	kprintf("init: %s: error %d\n", path, error);
}

static void
init_main(void *arg __unused)
{
	static const char *const usual[] = {
		"/sbin/init", "/bin/init", "/init", "/bin/sh",
	};
	char buf[128];
	const char *path = init_from_cmdline(buf, sizeof(buf));
	size_t i;

	init_open_console();
	if (path != NULL)
		init_try(path);
	for (i = 0; i < nitems(usual); i++)
		init_try(usual[i]);
	panic("no init");
}

void
proc_start_init(void)
{
	const void *start;
	size_t len;
	struct proc *p;
	struct lwp *lp;
	struct thread *td;
	int error;

	if (md_initrd(&start, &len))
		initrd_unpack(start, len);
	p = proc_alloc();
	initproc = p;
	limits_init(p);
	p->p_cred = cred_copy(kernel_cred, 0);
	p->p_cred->cr_caps = CAP_ALL;
	p->p_vm = vm_map_create();
	if (p->p_vm == NULL)
		panic("init: no memory");
	p->p_fd = filedesc_alloc();
	p->p_fs = procfs_ctx_copy(NULL);
	p->p_sigacts = sigacts_alloc();
	p->p_state = PS_ACTIVE;
	kstrlcpy(p->p_comm, "init", sizeof(p->p_comm));
	lp = lwp_alloc(p);
	error = lwkt_create(init_main, lp, &td, TDPRI_USER, 0, "init");
	if (error)
		panic("init: thread: error %d", error);
	lp->lwp_thread = td;
	td->td_lwp = lp;
	lp->lwp_frame = md_lwp_frame(td);
	proc_link(p, NULL, NULL);
	spin_lock(&proc_spin);
	lwp_link_locked(lp);
	spin_unlock(&proc_spin);
	if ((error = proc_setsid(p)) != 0)
		panic("init: session: error %d", error);
	lwkt_schedule(td);
}
