package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// asOfName is the document that says what run a copy is of. It is there as long as the
// copy is whole.
const asOfName = "_as_of.json"

// An AsOf says what run a published copy is of. It is made of the lake alone: the same
// run gives the same bytes.
type AsOf struct {
	Run     int64            `json:"run"`
	Now     time.Time        `json:"now"`         // the clock of the run
	Head    string           `json:"head_sha256"` // of the run's manifest
	Tool    string           `json:"tool"`        // that made the copy
	Periods []publishedMonth `json:"periods"`
	Tables  []publishedTable `json:"tables"`
}

// A publishedMonth is a period of the copy.
type publishedMonth struct {
	Period string `json:"period"`
	State  string `json:"state"` // open, cut or closed
}

// A publishedTable is what a copy has of a table.
type publishedTable struct {
	Table string `json:"table"`
	Files int64  `json:"files"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	// Rewritten are the files that are none of the lake's, with their bytes.
	Rewritten map[string]int64 `json:"rewritten,omitempty"`
}

// asOf is what a copy says that has the files that are wanted.
func (p *publisher) asOf(ctx context.Context, want []wantedFile, there publishListing) ([]byte, error) {
	m := p.mill
	run, err := m.Lake.Run(ctx, p.head)
	if err != nil {
		return nil, err
	}
	document := AsOf{Run: run.Number, Now: run.Now, Head: p.report.Head, Tool: m.options.Tool}
	open := m.Config.FirstPeriod
	for _, c := range m.Lake.State().Closings() {
		state := "closed"
		if c.CloseRun == 0 {
			state = "cut"
		}
		document.Periods = append(document.Periods, publishedMonth{c.Period.String(), state})
		open = c.Period.Next()
	}
	document.Periods = append(document.Periods, publishedMonth{open.String(), "open"})
	for _, table := range publishedTables() {
		t := publishedTable{Table: table.Name}
		for _, w := range want {
			if w.table.Name != table.Name {
				continue
			}
			size := there.files[w.name]
			t.Files, t.Rows, t.Bytes = t.Files+1, t.Rows+w.file.Rows, t.Bytes+size
			if w.rewrite {
				if t.Rewritten == nil {
					t.Rewritten = map[string]int64{}
				}
				t.Rewritten[w.name] = size
			}
		}
		document.Tables = append(document.Tables, t)
	}
	text, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", asOfName, err)
	}
	return append(text, '\n'), nil
}

// said is what a copy says of itself.
type said struct {
	text      []byte           // nil: nothing
	rewritten map[string]int64 // bytes of files that are none of the lake's, by name
}

// said reads `_as_of.json`. What cannot be read says nothing: it is written anew.
func (p *publisher) said(ctx context.Context) (said, error) {
	text, err := lake.ReadAll(ctx, p.store, p.prefix+asOfName)
	if errors.Is(err, lake.ErrNotFound) {
		return said{}, nil
	}
	if err != nil {
		return said{}, err
	}
	s := said{text: text, rewritten: map[string]int64{}}
	var document AsOf
	if json.Unmarshal(text, &document) == nil {
		for _, table := range document.Tables {
			maps.Copy(s.rewritten, table.Rewritten)
		}
	}
	return s, nil
}

// say writes `_as_of.json`; not done where another publish has written another meanwhile.
func (p *publisher) say(ctx context.Context, text []byte) (done bool, err error) {
	err = p.store.CreateIfAbsent(ctx, p.prefix+asOfName, text)
	if !errors.Is(err, lake.ErrExists) {
		return err == nil, err
	}
	other, err := p.said(ctx)
	return bytes.Equal(other.text, text), err
}

// unsay removes `_as_of.json` where it is there.
func (p *publisher) unsay(ctx context.Context) error {
	there, err := p.store.Open(ctx, p.prefix+asOfName)
	if errors.Is(err, lake.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = errors.Join(there.Close(), p.store.Delete(ctx, p.prefix+asOfName))
	}
	return err
}
