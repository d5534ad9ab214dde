package config

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// SchemeS3 is the Scheme of a place in object storage.
const SchemeS3 = "s3"

// A Location is a place for objects: a folder, or a bucket with a prefix. The
// zero value is none.
type Location struct {
	Scheme string // empty: a folder; or [SchemeS3]
	Path   string // of the folder, for the operating system; or "bucket/prefix" without a slash at its end
}

// String writes what a configuration would: a path, or "s3://bucket/prefix".
func (l Location) String() string {
	if l.Scheme == "" {
		return l.Path
	}
	return l.Scheme + "://" + l.Path
}

// IsZero reports whether l is no place.
func (l Location) IsZero() bool { return l == Location{} }

// Bucket is the bucket of an object storage's place, and Prefix what its keys
// begin with: empty, or without a slash at either end.
func (l Location) Bucket() string { bucket, _ := l.cut(); return bucket }

// Prefix is described at [Location.Bucket].
func (l Location) Prefix() string { _, prefix := l.cut(); return prefix }

func (l Location) cut() (bucket, prefix string) {
	if l.Scheme == "" {
		return "", ""
	}
	bucket, prefix, _ = strings.Cut(l.Path, "/")
	return bucket, prefix
}

// join is the place of that relative path within l.
func (l Location) join(relative string) Location {
	if l.Scheme == "" {
		return Location{Path: filepath.Join(l.Path, relative)}
	}
	return Location{Scheme: l.Scheme, Path: path.Join(l.Path, relative)}
}

// within reports whether l is other, or lies in it.
func (l Location) within(other Location) bool {
	_, in := l.Within(other)
	return in
}

// Within is the path of l below other, with slashes, empty where they are one place;
// not in where l lies elsewhere.
func (l Location) Within(other Location) (relative string, in bool) {
	if l.Scheme != other.Scheme || l.IsZero() || other.IsZero() {
		return "", false
	}
	if l.Scheme != "" {
		if l.Path == other.Path {
			return "", true
		}
		return strings.CutPrefix(l.Path, other.Path+"/")
	}
	inner, err1 := filepath.Abs(l.Path)
	outer, err2 := filepath.Abs(other.Path)
	if err1 != nil || err2 != nil {
		return "", false
	}
	relative, err := filepath.Rel(outer, inner)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", false
	}
	if relative == "." {
		return "", true
	}
	return filepath.ToSlash(relative), true
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// ParseLocation reads a folder, relative to the folder given, or
// s3://bucket/prefix. It returns what is wrong as a message and a hint; the
// message is empty when nothing is.
func ParseLocation(folder, text string) (l Location, message, hint string) {
	scheme, rest, remote := strings.Cut(text, "://")
	if !remote {
		if text == "" {
			return Location{}, "an empty text", "write a folder, or s3://bucket/prefix"
		}
		if filepath.IsAbs(text) {
			return Location{Path: filepath.Clean(text)}, "", ""
		}
		return Location{Path: filepath.Join(folder, filepath.FromSlash(text))}, "", ""
	}
	if scheme != SchemeS3 {
		return Location{}, "there is no storage " + scheme + "://", "write a folder without " + scheme + "://, or s3://bucket/prefix"
	}
	rest = strings.TrimSuffix(rest, "/")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(bucket) {
		return Location{}, `"` + bucket + `" is no name of a bucket`, "write s3://bucket/prefix"
	}
	if prefix != "" && path.Join("/", prefix) != "/"+prefix {
		return Location{}, `"` + prefix + `" is no prefix: it has an empty part, . or ..`, "write s3://bucket/prefix"
	}
	return Location{Scheme: scheme, Path: rest}, "", ""
}

func (r reader) location(n yamlfile.Node) Location {
	if n.IsZero() {
		return Location{}
	}
	text := r.String(n)
	if text == "" && n.Kind() != yamlfile.String {
		return Location{}
	}
	l, message, hint := ParseLocation(r.c.Folder, text)
	if message != "" {
		r.Add(n, hint, "%s", message)
	}
	return l
}

// apart refuses a lake within the logs or logs within the lake: what the one
// writes, the other would read.
func (r reader) apart(raw yamlfile.Node) {
	if r.c.Lake.within(r.c.Raw) || r.c.Raw.within(r.c.Lake) {
		r.Add(raw, "put them side by side, as in lake: ./lake and raw: ./raw", "raw and lake must not lie within each other (%s, %s)", r.c.Raw, r.c.Lake)
	}
}

// scratch reads a local folder.
func (r reader) scratch(n yamlfile.Node) string {
	l := r.location(n)
	if l.Scheme != "" {
		r.Add(n, "", "scratch must be a local folder")
		return ""
	}
	return l.Path
}
