package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// thisMachine describes the machine as far as it tells: the model of the
// processor and the memory are known on Linux alone.
func thisMachine() string {
	parts := []string{fmt.Sprintf("%d cores, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())}
	if cpu := field("/proc/cpuinfo", "model name"); cpu != "" {
		parts = append([]string{cpu}, parts...)
	}
	kib, err := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	if err == nil {
		parts = append(parts, fmt.Sprintf("%.1f GB of memory", float64(kib)*1024/1e9))
	}
	return strings.Join(parts, ", ")
}

// field reads the first line of that name out of a file of lines "name : value"; "" where there is none.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
