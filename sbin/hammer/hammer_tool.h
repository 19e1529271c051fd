/* SPDX-License-Identifier: BSD-2-Clause */
/* hammer(8): what its verbs share.  One cmd_<verb>.c per verb; the table is in
 * hammer.c. */
#ifndef _SBIN_HAMMER_TOOL_H_
#define _SBIN_HAMMER_TOOL_H_

#include <stdbool.h>
#include <stdint.h>

struct hd_fs;

struct hammer_verb {
	const char	*hv_name;
	int		 hv_minargs, hv_maxargs;	/* -1: any number */
	const char	*hv_args;	/* usage */
	int		(*hv_fn)(int argc, char **argv); /* argv[0]: verb */
};

struct hammer_opts {
	int		 verbose;	/* -v, repeatable */
	int		 quiet;		/* -q */
	bool		 yes;		/* -y */
	bool		 all;		/* -A */
	bool		 force;		/* -F */
	bool		 twoway;	/* -2 */
	char		*blkdevs;	/* -f */
	const char	*cyclefile;	/* -c */
	uint64_t	 bandwidth;	/* -b bytes/s */
	int		 delay;		/* -i seconds */
	int		 timeout;	/* -t seconds */
	uint64_t	 memlimit;	/* -m */
	uint64_t	 splitsize;	/* -S */
};
extern struct hammer_opts opts;

/* The volumes named by -f; ends the program if there is none or they are no
 * filesystem.  Says so when the volumes need recovery. */
struct hd_fs *tool_volumes(void);
void	tool_header(const struct hd_fs *);	/* print it */

int	cmd_blockmap(int, char **);
int	cmd_checkmap(int, char **);
int	cmd_namekey(int, char **);
int	cmd_show(int, char **);
int	cmd_show_undo(int, char **);
/* mounted filesystems */
int	cmd_config(int, char **);
int	cmd_history(int, char **);
int	cmd_info(int, char **);
int	cmd_snap(int, char **);
int	cmd_snapls(int, char **);
int	cmd_snaprm(int, char **);
int	cmd_snapshot(int, char **);
int	cmd_synctid(int, char **);
int	cmd_version(int, char **);
int	cmd_viconfig(int, char **);

#endif
