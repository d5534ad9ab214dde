// Package config reads creditmill.yaml and finds the files it names (SPEC
// section 2).
//
// [Load] checks everything that can be known without the lake and without the
// meaning of the named files: those are read by ingest/source, rate/price and
// invoice/catalog, into the same [yamlfile.Problems], so that one command shows
// all that is wrong in all files. Every file is read once; what was read is what is
// parsed, hashed and recorded. No secret is read from a configuration.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/creditmill/creditmill/internal/money"
	"github.com/creditmill/creditmill/internal/period"
	"github.com/creditmill/creditmill/internal/yamlfile"
)

// FileName is the name of the configuration in a folder.
const FileName = "creditmill.yaml"

// A Config is a whole configuration, with the defaults filled in.
type Config struct {
	File   string // of the configuration, as messages name it
	Folder string // that holds it; relative paths of the configuration start here

	Lake        Location
	Raw         Location // zero where every source has its own
	FirstPeriod period.Period
	TimeZone    string          // IANA name
	Calendar    period.Calendar // of TimeZone
	Currency    money.Currency  // of accounts that name none

	Sources []File // in the order of their paths, as Prices and Catalog
	Prices  []File
	Catalog []File
	Tests   []File // of prices

	UnknownPlan string        // the plan that opens an unknown account; empty: its usage is held
	UnknownNode yamlfile.Node // where UnknownPlan is written, for whoever knows the plans

	Alerts     []int // percent of a cycle's allowance, ascending, each over zero
	Issuer     Issuer
	Invoices   Invoices
	CloseGrace period.Duration // after a period's end, until it may be closed
	Accept     Accept
	Retention  Retention

	Memory  string   // DuckDB's memory limit, as DuckDB writes it: "2GB"
	Scratch string   // the folder for spilling and fetched objects; empty: the program chooses
	Publish Location // of the clean copy of the live tables; zero: there is none

	Schedule []Job // those that run by the clock, in the order of [Jobs]

	own      File
	recorded []File // read from these alone; nil: from disk
}

// Issuer is the party that invoices are from. Fields not given are empty.
type Issuer struct {
	Name    string
	Address []string // lines
	TaxID   string
}

// Invoices says how documents are numbered and when they are due.
type Invoices struct {
	Number, Credit, Debit Number
	Due                   period.Duration // after the issue
}

// Accept bounds the time of usage; both bounds are inclusive (SPEC section 14, 5).
type Accept struct {
	Future, Past period.Duration // after and before the run's now
	NoPast       bool            // past: none
}

// Retention says how long what is no longer live is kept.
type Retention struct {
	Rejected, Superseded period.Duration
}

// A File is a file of the configuration as it was read.
type File struct {
	Name    string // as messages name it
	Path    string // relative to the configuration's folder, with slashes: the same on every machine
	SHA256  string // of Content, in hexadecimal
	Content []byte
}

func newFile(name, path string, content []byte) File {
	sum := sha256.Sum256(content)
	return File{Name: name, Path: path, SHA256: hex.EncodeToString(sum[:]), Content: content}
}

// Files are the files of the configuration that runs record: creditmill.yaml first,
// then sources, prices and catalog, each once. Tests are not among them: they change
// no result.
func (c *Config) Files() []File {
	files := make([]File, 0, 1+len(c.Sources)+len(c.Prices)+len(c.Catalog))
	if c.own.Path != "" {
		files = append(files, c.own)
	}
	for _, file := range slices.Concat(c.Sources, c.Prices, c.Catalog) {
		if !slices.ContainsFunc(files, func(f File) bool { return f.Path == file.Path }) {
			files = append(files, file)
		}
	}
	return files
}

// Load reads the configuration at path, a file or a folder that holds a
// creditmill.yaml, and the files that it names. The Config is never nil: where
// there are problems it is good for nothing but to read the files it names, so
// that their problems can be added. A Config without problems is complete.
func Load(path string) (*Config, *yamlfile.Problems) {
	p := &yamlfile.Problems{}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	c := &Config{File: path, Folder: filepath.Dir(path)}
	content, err := os.ReadFile(path)
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "name it with --config, or write one with `creditmill init`"
		}
		p.AddFile(path, hint, "the configuration cannot be read: %v", reason(err))
		return c, p
	}
	c.own = newFile(path, filepath.Base(path), content)
	c.read(yamlfile.Single(yamlfile.Parse(path, content, p), p), p)
	return c, p
}

// reason is an I/O error without the path, which the message has already.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
