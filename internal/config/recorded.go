package config

import (
	"path"
	"path/filepath"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Recorded reads a configuration from the files that a run recorded of it,
// creditmill.yaml first, and nothing from disk. Relative places start at folder.
// Tests of prices are not recorded, so it has none. What [Load] says of problems
// holds here too.
func Recorded(folder string, files []File) (*Config, *yamlfile.Problems) {
	p := &yamlfile.Problems{}
	c := &Config{Folder: folder, recorded: files}
	if len(files) == 0 {
		p.AddFile(FileName, "", "no run recorded it")
		return c, p
	}
	c.own = files[0]
	c.File = c.own.Name
	c.read(yamlfile.Single(yamlfile.Parse(c.own.Name, c.own.Content, p), p), p)
	return c, p
}

// RecordedFile is a file of a configuration as a run recorded it: its path relative to the
// configuration's folder, and how messages name it.
func RecordedFile(name, path string, content []byte) File { return newFile(name, path, content) }

// globRecorded returns the paths of recorded files that match a pattern, which is
// relative to the configuration's folder or absolute.
func (c *Config) globRecorded(pattern string) []string {
	var matches []string
	for _, file := range c.recorded {
		name := file.Path
		if filepath.IsAbs(pattern) {
			name = filepath.ToSlash(filepath.Join(c.Folder, filepath.FromSlash(file.Path)))
		}
		if ok, _ := path.Match(path.Clean(filepath.ToSlash(pattern)), name); ok { // the pattern is well-formed
			matches = append(matches, file.Path)
		}
	}
	return matches
}

// recordedFile is the recorded file of a path.
func (c *Config) recordedFile(path string) File {
	for _, file := range c.recorded {
		if file.Path == path {
			return file
		}
	}
	return File{}
}
