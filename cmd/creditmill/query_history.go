package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// A history is what was typed in sessions, for the arrow keys. It is kept in a file that
// only its owner can read; where that cannot be, it is of this session alone.
type history struct {
	entries []string // the newest last
	path    string   // "": not kept
}

// mostRemembered is how many entries are kept.
const mostRemembered = 1000

// historyPath is the file of the history: in the folder where programs keep state, which
// the environment may name; "" where there is none.
func historyPath(env func(string) string) string {
	folder := env("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) {
		home := env("HOME")
		if home == "" {
			return ""
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "creditmill", "query_history")
}

// newHistory reads the history in a file; keep says whether there is one.
func newHistory(path string, keep bool) *history {
	h := &history{}
	if !keep || path == "" {
		return h
	}
	h.path = path
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
			h.path = ""
		}
		return h
	}
	if err != nil {
		h.path = ""
		return h
	}
	for line := range strings.Lines(string(data)) {
		h.add(strings.TrimRight(line, "\n"))
	}
	if os.Chmod(path, 0o600) != nil {
		h.path = ""
	}
	if strings.Count(string(data), "\n") > 2*mostRemembered {
		h.rewrite()
	}
	return h
}

// rewrite leaves the newest entries in the file.
func (h *history) rewrite() {
	beside := h.path + ".new"
	if os.WriteFile(beside, []byte(strings.Join(h.entries, "\n")+"\n"), 0o600) != nil || os.Rename(beside, h.path) != nil {
		h.path = ""
	}
}

// remember adds an entry, here and in the file.
func (h *history) remember(entry string) {
	if !h.add(entry) || h.path == "" {
		return
	}
	file, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(h.entries[len(h.entries)-1] + "\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		h.path = "" // a session goes on without
	}
}

// add adds an entry that is not blank and not the newest again.
func (h *history) add(entry string) bool {
	entry = strings.TrimSpace(entry)
	if entry == "" || strings.ContainsFunc(entry, unicode.IsControl) || len(h.entries) > 0 && h.entries[len(h.entries)-1] == entry {
		return false
	}
	if h.entries = append(h.entries, entry); len(h.entries) > mostRemembered {
		h.entries = h.entries[1:]
	}
	return true
}

// Add implements [term.History]; a session remembers statements, not lines.
func (h *history) Add(string) {}

// Len implements [term.History].
func (h *history) Len() int { return len(h.entries) }

// At implements [term.History]: 0 is the newest.
func (h *history) At(i int) string { return h.entries[len(h.entries)-1-i] }
