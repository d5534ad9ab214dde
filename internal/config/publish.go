package config

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// lakeFolders are the folders of a lake in which it keeps what it is made of.
var lakeFolders = []string{"runs", "checkpoints", "data", "configs", "failures", "doctor"}

// publish reads where the clean copy goes: a path within the lake, a folder of its
// own or a prefix. A folder's copies are links and those of object storage are made
// by the server, so it lies on the same storage as the lake. never is no place. Of
// other keys `./` is the folder of the configuration, so here it is refused.
func (r reader) publish(n yamlfile.Node) Location {
	text := "published"
	if !n.IsZero() {
		if text = r.String(n); text == "" {
			r.emptyText(n)
			return Location{}
		}
	}
	var l Location
	switch {
	case text == never:
		return Location{}
	case strings.Contains(text, "://") || filepath.IsAbs(text):
		l = r.location(n)
	case r.c.Lake.IsZero():
		return Location{}
	case !filepath.IsLocal(filepath.FromSlash(text)) || path.Clean(text) == "." || strings.HasPrefix(text, "./") && r.c.recorded == nil:
		r.Add(n, "write published/ for a place within the lake, or a whole path or address, or never", "a relative path of publish lies within the lake")
		return Location{}
	default:
		l = r.c.Lake.join(text)
	}
	if n.IsZero() || l.IsZero() || r.c.Lake.IsZero() || r.c.recorded != nil {
		return l
	}
	if l.Scheme != r.c.Lake.Scheme {
		r.Add(n, "", "publish must be on the same storage as the lake (%s)", r.c.Lake)
		return l
	}
	r.publishApart(n, l)
	return l
}

// publishApart refuses a place of the clean copy that holds something else: what is not
// part of the copy is deleted there.
func (r reader) publishApart(n yamlfile.Node, l Location) {
	const hint = "write published/, or a place that nothing else uses"
	switch relative, in := l.Within(r.c.Lake); {
	case r.c.Lake.within(l):
		r.Add(n, hint, "publish must not be the lake, nor lie around it (%s)", l)
	case in && slices.Contains(lakeFolders, strings.ToLower(firstPart(relative))): // some file systems take a for A
		r.Add(n, hint, "publish must not lie in the lake's own folder %s", firstPart(relative))
	case in && slices.ContainsFunc(strings.Split(relative, "/"), func(part string) bool { return strings.HasPrefix(part, ".") }):
		r.Add(n, hint, "publish must have no part that begins with a dot: readers pass over it")
	case l.within(r.c.Raw) || r.c.Raw.within(l):
		r.Add(n, hint, "publish and raw must not lie within each other (%s, %s)", l, r.c.Raw)
	}
}

func firstPart(relative string) string {
	first, _, _ := strings.Cut(relative, "/")
	return first
}
