#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""syscalls.tbl -> a C header with the dispatch tables.

usage: gen.py syscalls.tbl > linux_syscalls.h

Two ranges: Linux numbers from 0, our own from LINUX_OWN_FIRST.  Handlers are
declared weak, so that a call without code is a NULL in the table.
"""
import sys

OWN = 4096
calls = {}
for line in open(sys.argv[1]):
    words = line.split("#")[0].split()
    if words:
        number, name = int(words[0]), words[1]
        handler = words[2] if len(words) > 2 else "sys_" + name
        if number in calls:
            sys.exit("number %d twice" % number)
        calls[number] = (name, handler)

print("/* Made by abi/linux/gen.py from syscalls.tbl. */")
for handler in sorted({h for _, h in calls.values()}):
    print("syscall_fn %s __attribute__((__weak__));" % handler)
for what, first in (("linux", 0), ("own", OWN)):
    part = {n - first: c for n, c in calls.items()
            if (n >= OWN) == (first == OWN)}
    print("enum { %s_NCALLS = %d };" % (what.upper(), max(part) + 1))
    for table, ctype, form in (("calls", "syscall_fn *const", "%s"),
                               ("names", "char *const", '"%s"')):
        print("static %s%s %s_%s[] = {" %
              ("const " if table == "names" else "", ctype, what, table))
        for n in sorted(part):
            name, handler = part[n]
            print("\t[%d] = " % n +
                  form % (handler if table == "calls" else name) + ",")
        print("};")
