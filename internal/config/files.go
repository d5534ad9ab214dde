package config

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// files reads the files that a list of globs names, in the order of their paths.
// Globs are relative to the configuration's folder; * and ? do not match a slash.
// Where no list is written, otherwise is the glob, and may match nothing.
func (r reader) files(n yamlfile.Node, otherwise string) []File {
	found := map[string]bool{}
	if n.IsZero() {
		matches, _ := r.glob(otherwise) // the defaults are well-formed
		for _, match := range matches {
			found[match] = true
		}
	}
	for i, pattern := range r.Strings(n) {
		item := n.Items()[i]
		if pattern == "" {
			r.emptyText(item)
			continue
		}
		matches, err := r.glob(pattern)
		switch {
		case err != nil:
			r.Add(item, "", "%q is no glob: a [ has no ]", pattern)
		case len(matches) == 0:
			r.Add(item, "paths are relative to "+r.c.Folder, "%q matches no file", pattern)
		}
		for _, match := range matches {
			found[match] = true
		}
	}
	var files []File
	for match := range found {
		if file, ok := r.readFile(match); ok {
			files = append(files, file)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

// glob returns the regular files that match, as the operating system names them.
func (r reader) glob(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	if r.c.recorded != nil {
		return r.c.globRecorded(pattern), nil
	}
	full := filepath.FromSlash(pattern)
	if !filepath.IsAbs(full) {
		full = filepath.Join(escapeGlob(r.c.Folder), full)
	}
	matches, err := filepath.Glob(full)
	return slices.DeleteFunc(matches, func(name string) bool {
		info, err := os.Stat(name)
		return err == nil && !info.Mode().IsRegular()
	}), err
}

// escapeGlob makes a folder's name match itself and nothing else.
func escapeGlob(folder string) string {
	special := []string{"*", "[*]", "?", "[?]", "[", "[[]"}
	if filepath.Separator != '\\' {
		special = append(special, `\`, `\\`)
	}
	return strings.NewReplacer(special...).Replace(folder)
}

func (r reader) readFile(name string) (File, bool) {
	if r.c.recorded != nil {
		return r.c.recordedFile(name), true
	}
	content, err := os.ReadFile(name)
	if err != nil {
		r.AddFile(name, "", "the file cannot be read: %v", reason(err))
		return File{}, false
	}
	relative, err := filepath.Rel(r.c.Folder, name)
	if err != nil {
		relative = name
	}
	return newFile(name, filepath.ToSlash(relative), content), true
}

// needRaw adds a problem when raw is absent and a source does not have its own.
// What else is wrong with the sources their own reader says.
func (r reader) needRaw(doc yamlfile.Node) {
	for _, file := range r.c.Sources {
		var silent yamlfile.Problems
		for _, source := range yamlfile.Parse(file.Name, file.Content, &silent) {
			o := silent.Object(source, "source")
			if source.Kind() == yamlfile.Map && o.Get("raw").IsZero() {
				r.Add(doc, "write raw: ./raw, or give each source its own raw", `the configuration needs "raw", because %s has none of its own`, file.Path)
				return
			}
		}
	}
}
