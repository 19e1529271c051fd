/* SPDX-License-Identifier: BSD-2-Clause */
/* File modes, attributes and open flags (Linux values). */
#ifndef _SYS_STAT_H_
#define _SYS_STAT_H_

#include <sys/types.h>

enum {
	S_IFMT = 0170000, S_IFSOCK = 0140000, S_IFLNK = 0120000,
	S_IFREG = 0100000, S_IFBLK = 0060000, S_IFDIR = 0040000,
	S_IFCHR = 0020000, S_IFIFO = 0010000,
	S_ISUID = 04000, S_ISGID = 02000, S_ISVTX = 01000,
	S_IRWXU = 0700, S_IRUSR = 0400, S_IWUSR = 0200, S_IXUSR = 0100,
	S_IRWXG = 0070, S_IRWXO = 0007,
};
#define S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)
#define S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)
#define S_ISCHR(m)	(((m) & S_IFMT) == S_IFCHR)
#define S_ISBLK(m)	(((m) & S_IFMT) == S_IFBLK)
#define S_ISFIFO(m)	(((m) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(m)	(((m) & S_IFMT) == S_IFSOCK)

enum {
	DT_UNKNOWN = 0, DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_BLK = 6,
	DT_REG = 8, DT_LNK = 10, DT_SOCK = 12, DT_WHT = 14,
};
#define IFTODT(mode)	(((mode) & S_IFMT) >> 12)

enum {
	O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3,
	O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400, O_TRUNC = 01000,
	O_APPEND = 02000, O_NONBLOCK = 04000, O_DSYNC = 010000,
	O_DIRECT = 040000, O_LARGEFILE = 0100000, O_DIRECTORY = 0200000,
	O_NOFOLLOW = 0400000, O_NOATIME = 01000000, O_CLOEXEC = 02000000,
	O_SYNC = 04010000, O_PATH = 010000000, O_TMPFILE = 020200000,
};

enum vattr_mask {			/* va_mask: which fields count */
	VA_MODE = 0x001, VA_UID = 0x002, VA_GID = 0x004, VA_SIZE = 0x008,
	VA_ATIME = 0x010, VA_MTIME = 0x020, VA_CTIME = 0x040,
	VA_FLAGS = 0x080, VA_RDEV = 0x100,
	VA_ATIME_NOW = 0x200, VA_MTIME_NOW = 0x400,
};

struct vattr {
	uint32_t	va_mask;	/* setattr and create: fields given */
	mode_t		va_mode;	/* type and permissions */
	uid_t		va_uid;
	gid_t		va_gid;
	uint32_t	va_blksize;
	uint32_t	va_flags;	/* chflags: UF_NOHISTORY ... */
	uint64_t	va_nlink;
	ino_t		va_ino;
	dev_t		va_fsdev;	/* st_dev */
	dev_t		va_rdev;
	uint64_t	va_size;
	uint64_t	va_bytes;	/* space in use */
	struct timespec	va_atime, va_mtime, va_ctime, va_btime;
	uint64_t	va_gen;
};

enum { UF_NOHISTORY = 0x40, SF_NOHISTORY = 0x400000 };

#endif
