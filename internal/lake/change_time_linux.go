package lake

import (
	"io/fs"
	"syscall"
)

// changeTime is a file's inode and when its content or its inode last changed, in
// nanoseconds since 1970.
func changeTime(info fs.FileInfo) (inode uint64, changed int64, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return stat.Ino, stat.Ctim.Nano(), true
}
