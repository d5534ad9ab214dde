package config

import (
	"regexp"
	"strconv"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// minMemory is less than what DuckDB needs to sort and write Parquet at all.
const minMemory = 64 << 20

var (
	memorySize = regexp.MustCompile(`^([0-9]{1,6}) ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)
	unitBytes  = map[string]int64{"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
)

// memory reads a size in the units of DuckDB: MB is a million bytes, MiB 2^20.
func (r reader) memory(n yamlfile.Node) string {
	if n.IsZero() {
		return "2GB"
	}
	if n.Kind() == yamlfile.Number {
		r.Add(n, "write its unit: "+n.Text()+"GB, "+n.Text()+"MB", "a size is expected here, not a number")
		return ""
	}
	text := r.String(n)
	if text == "" {
		r.emptyText(n)
		return ""
	}
	m := memorySize.FindStringSubmatch(text)
	if m == nil {
		r.Add(n, "", "%q is no size (such as 2GB, 512MB or 4GiB)", text)
		return ""
	}
	count, _ := strconv.Atoi(m[1])
	if bytes := int64(count) * unitBytes[m[2]]; bytes < minMemory {
		r.Add(n, "", "%s is too little: at least 64MiB are needed", text)
		return ""
	}
	return m[1] + m[2]
}
