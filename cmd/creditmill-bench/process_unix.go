//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is getrusage's ru_maxrss in bytes: Linux and the BSDs count it in
// KiB, macOS in bytes.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss * 1024
}
