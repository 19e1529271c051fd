#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turn `nm -n` of the kernel (standard input) into assembly: its symbol table.

Only text symbols are named; so their addresses are the same in the pass that
links the table in, which lies behind the text.
"""
import sys

BASE = 0xffffffff80000000
syms = []
for line in sys.stdin:
    f = line.split()
    if len(f) != 3 or f[1] not in "tT" or f[2].startswith(".L"):
        continue
    addr = int(f[0], 16) - BASE
    if 0 <= addr < 1 << 31 and (not syms or syms[-1][0] != addr):
        syms.append((addr, f[2]))

out = ['\t.section .ksyms, "a"', "\t.balign 8"]
def label(name):
    out.append("\t.globl %s\n%s:" % (name, name))
label("ksym_count")
out.append("\t.long %d" % len(syms))
label("ksym_addrs")
out += ["\t.long 0x%x" % a for a, _ in syms]
label("ksym_names")
off = 0
for _, name in syms:
    out.append("\t.long %d" % off)
    off += len(name) + 1
label("ksym_text")
out += ['\t.asciz "%s"' % n for _, n in syms]
out.append('\t.section .note.GNU-stack, "", @progbits')
print("\n".join(out))
