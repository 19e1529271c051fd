KERN_SRCS += sys/vfs/namecache/nc_change.c sys/vfs/namecache/nc_entry.c \
	sys/vfs/namecache/nc_fast.c sys/vfs/namecache/nc_hash.c sys/vfs/namecache/nc_lock.c \
	sys/vfs/namecache/nc_lookup.c sys/vfs/namecache/nc_path.c \
	sys/vfs/namecache/nc_resolve.c
