package main

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// An editor reads the lines that a person types on a terminal: with line editing, what was
// typed before, and names completed. The terminal is in raw mode while a line is read and
// no longer, so that Ctrl-C ends a statement that runs.
type editor struct {
	terminal *term.Terminal
	keys     *keys
	history  *history
	raw      func() (restore func() error, err error)
	size     func() (width, height int, err error)
	done     <-chan struct{} // ends a read
}

// newEditor reads from the terminal that standard input is.
func newEditor(ctx context.Context, s *session, keep bool) *editor {
	in, out := int(os.Stdin.Fd()), int(os.Stdout.Fd())
	e := newEditorOn(ctx, os.Stdin, os.Stdout, newCompletion(s), newHistory(historyPath(os.Getenv), keep))
	e.raw = func() (func() error, error) {
		before, err := term.MakeRaw(in)
		if err != nil {
			return nil, err
		}
		return func() error { return term.Restore(in, before) }, nil
	}
	e.size = func() (int, int, error) { return term.GetSize(out) }
	return e
}

func newEditorOn(ctx context.Context, in io.Reader, out io.Writer, c *completion, h *history) *editor {
	e := &editor{keys: &keys{in: in}, history: h, done: ctx.Done()}
	e.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e.keys, out}, prompt)
	e.terminal.History = h
	c.show = func(text string) { _, _ = e.terminal.Write([]byte(text)) } // an answer to a key press: nothing depends on it
	e.terminal.AutoCompleteCallback = c.key
	e.raw = func() (func() error, error) { return func() error { return nil }, nil }
	e.size = func() (int, int, error) { return 0, 0, errors.New("no terminal") }
	return e
}

// read implements lineReader.
func (e *editor) read(prompt string) (line string, err error) {
	restore, err := e.raw()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, restore()) }()
	if width, height, err := e.size(); err == nil {
		_ = e.terminal.SetSize(width, height) // only draws
	}
	e.terminal.SetBracketedPasteMode(true)
	defer e.terminal.SetBracketedPasteMode(false)
	e.terminal.SetPrompt(prompt)
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		line, err := e.terminal.ReadLine()
		if errors.Is(err, term.ErrPasteIndicator) {
			err = nil
		}
		typed <- answer{line, err}
	}()
	select {
	case a := <-typed:
		if e.keys.interrupted {
			e.keys.interrupted = false
			return "", errInterrupted
		}
		return a.line, a.err
	case <-e.done: // the read goes on until the program ends
		return "", io.EOF
	}
}

func (e *editor) remember(entry string) { e.history.remember(entry) }

// keys is the input of a terminal, in which Ctrl-C is the keys that clear the line and
// end it: for [term.Terminal] it would be the end of the input.
type keys struct {
	in          io.Reader
	interrupted bool
	ready       []byte
}

const ctrlC = 3

var clearLine = []byte{5, 21, '\r'} // to the end, delete to the start, enter

func (k *keys) Read(p []byte) (int, error) {
	if len(k.ready) == 0 {
		read := make([]byte, len(p))
		n, err := k.in.Read(read)
		if n == 0 || err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for _, key := range read[:n] {
			if key == ctrlC {
				k.interrupted = true
				k.ready = append(k.ready[:0], clearLine...) // what was typed before it is given up too
				continue
			}
			k.ready = append(k.ready, key)
		}
	}
	n := copy(p, k.ready)
	k.ready = k.ready[n:]
	return n, nil
}
