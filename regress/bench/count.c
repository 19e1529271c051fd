/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU plugin: count executed guest instructions, and log the count whenever
 * the guest executes a marker, a seven-byte NOP with a magic displacement:
 *
 *	0f 1f 80 <imm32>	imm32 = MARK_BEGIN | phase, MARK_END | phase
 *
 * Until the first marker it also logs "idle <count>" when the guest waits, which
 * tells how many instructions a boot took.
 *
 * Usage: -plugin count.so -d plugin -D LOG.  Lines: "mark <hex> <count>".
 * The plugin interface (version 1) is declared here, as far as it is used:
 * Debian's QEMU package has no header for it.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((__visibility__("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void tb_trans_cb(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void insn_exec_cb(unsigned int vcpu, void *arg);

void	qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, tb_trans_cb *);
size_t	qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
	    size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t	qemu_plugin_insn_size(const struct qemu_plugin_insn *);
/* op 0: add imm to the 64-bit word at ptr */
void	qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *,
	    int op, void *ptr, uint64_t imm);
/* flags 0: the callback reads no registers */
void	qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *,
	    insn_exec_cb *, int flags, void *arg);
void	qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t, const void *info, int argc,
	    char **argv);

static uint64_t count, marks;

static void
marked(unsigned int vcpu, void *arg)
{
	char line[80];

	(void)vcpu;
	marks++;
	snprintf(line, sizeof(line), "mark %08" PRIx64 " %" PRIu64 "\n",
	    (uint64_t)(uintptr_t)arg, count);
	qemu_plugin_outs(line);
}

/* HLT: the guest waits.  How far it has come; until the first mark only. */
static void
halted(unsigned int vcpu, void *arg)
{
	char line[80];

	(void)vcpu, (void)arg;
	if (marks > 0)
		return;
	snprintf(line, sizeof(line), "idle %" PRIu64 "\n", count);
	qemu_plugin_outs(line);
}

static void
translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *in = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *b = qemu_plugin_insn_data(in);
		uint32_t imm;

		qemu_plugin_register_vcpu_insn_exec_inline(in, 0, &count, 1);
		if (qemu_plugin_insn_size(in) == 1 && b[0] == 0xf4)
			qemu_plugin_register_vcpu_insn_exec_cb(in, halted, 0,
			    NULL);
		if (qemu_plugin_insn_size(in) != 7 || b[0] != 0x0f ||
		    b[1] != 0x1f || b[2] != 0x80)
			continue;
		memcpy(&imm, b + 3, sizeof(imm));
		if (imm >> 24 == 0xa1 || imm >> 24 == 0xa2)
			qemu_plugin_register_vcpu_insn_exec_cb(in, marked, 0,
			    (void *)(uintptr_t)imm);
	}
}

EXPORT int
qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
    char **argv)
{
	(void)info, (void)argc, (void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
