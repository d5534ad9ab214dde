package source

import (
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/yamlfile"
)

// Draft writes a source for logs like the sample, the first records of the object
// key: it guesses which field is the time, the account, the operation and so on,
// and says in comments what to look at. The result parses and maps the sample;
// whether it says what the user means is for him to see with `creditmill try`.
func Draft(name, key string, r io.Reader) (text string, err error) {
	fields, format, records, err := readSample(key, r)
	if err != nil {
		return "", err
	}
	return drafted(name, key, format, fields, records)
}

// DraftRows is Draft for a log of that format, whose first records, at most
// [SampleRecords] of them, r has as JSON lines.
func DraftRows(name, key string, format Format, r io.Reader) (text string, err error) {
	s := sample{at: map[string]*sampled{}}
	records, err := s.lines(r)
	if errors.Is(err, io.EOF) {
		return "", errNoRecords
	}
	if err != nil {
		return "", err
	}
	return drafted(name, key, format, s.fields, records)
}

func drafted(name, key string, format Format, fields []*sampled, records int) (text string, err error) {
	d := draft{fields: fields, records: records, used: map[*sampled]bool{}}
	d.write("# Drafted from the first %d records of %s. Look at every line, then run:\n", records, comment(path.Base(key)))
	d.write("#   creditmill try %s %s\n", name, comment(path.Base(key)))
	d.write("source: %s\n", quote(name))
	d.write("path: %s   # * is any name, ** any folders, {yyyy}/{mm}/{dd} a date\n", quote(glob(key)))
	d.write("format: %s\n", format)
	if err := d.event(); err != nil {
		return "", err
	}
	d.columns()
	var p yamlfile.Problems
	Parse([]File{{Name: "draft.yaml", Text: []byte(d.out.String())}}, &p)
	if err := p.Err(); err != nil {
		return "", fmt.Errorf("no source could be drafted: %w", err)
	}
	return d.out.String(), nil
}

type draft struct {
	fields  []*sampled
	records int
	used    map[*sampled]bool
	out     strings.Builder
}

func (d *draft) write(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

func quote(text string) string { return strconv.Quote(text) }

// comment makes text safe within a comment.
func comment(text string) string { return strings.Trim(strconv.Quote(text), `"`) }

// glob is a pattern for keys like this one.
func glob(key string) string {
	folder, file := path.Split(key)
	ending := ""
	if i := strings.IndexByte(file, '.'); i >= 0 {
		ending = file[i:]
	}
	return strings.NewReplacer("{", "*", "}", "*").Replace(folder + "*" + ending)
}

// take returns the first field, by the order of words, whose name is or ends in
// one of them and which fits, and marks it as used.
func (d *draft) take(fits func(*sampled) bool, words ...string) *sampled {
	for _, word := range words {
		for _, exact := range []bool{true, false} {
			for _, f := range d.fields {
				matches := f.name == word || !exact && (strings.HasSuffix(f.name, "_"+word) || strings.HasPrefix(f.name, word+"_"))
				if matches && !d.used[f] && fits(f) {
					d.used[f] = true
					return f
				}
			}
		}
	}
	return nil
}

// id reports whether a field could name something.
func id(f *sampled) bool { return f.texts+f.integers == f.seen && f.longest <= 256 }

// always is id for what every record must have.
func (d *draft) always(f *sampled) bool { return id(f) && f.seen == d.records }

func (d *draft) event() error {
	at := d.time()
	if at == nil {
		return errors.New("no field of the file looks like a time: an event needs one")
	}
	layout, _ := at.layout()
	d.write("event:\n")
	unique := func(f *sampled) bool {
		return d.always(f) && (len(f.values) == d.records || len(f.values) == sampleDistinct)
	}
	if f := d.take(unique, "request_id", "event_id", "id", "uuid", "call_id", "trace_id"); f != nil {
		d.write("  id: %s\n", quote(f.path))
	} else {
		d.write("  # id: FIELD   # no field is different in every record: ids are made from the object's key and the line\n")
	}
	if layout == time.RFC3339 {
		d.write("  time: %s\n", quote(at.path))
	} else {
		d.write("  time: {field: %s, layout: %s}\n", quote(at.path), quote(layout))
	}
	if f := d.take(d.always, "account", "account_id", "org", "org_id", "organization", "organisation", "tenant", "tenant_id", "customer", "customer_id",
		"workspace", "client", "client_id", "team", "user", "user_id"); f != nil {
		d.write("  account: %s\n", quote(f.path))
	} else {
		d.write("  account: {constant: my-account}   # no field looks like the account: name one, or cut it out of the key: {key: \"logs/{account}/*\"}\n")
	}
	if f := d.take(id, "project", "project_id"); f != nil {
		d.write("  project: %s\n", quote(f.path))
	}
	if f := d.take(id, "key_id", "api_key_id", "api_key", "key", "token_id"); f != nil {
		d.write("  key: %s\n", quote(f.path))
	}
	few := func(f *sampled) bool { return d.always(f) && f.texts > 0 && len(f.values) <= 100 }
	if f := d.take(few, "operation", "op", "action", "endpoint", "event", "type"); f != nil {
		d.write("  operation: %s\n", quote(f.path))
	} else if route := d.take(few, "route", "path", "uri", "url"); route != nil {
		if method := d.take(few, "method", "verb"); method != nil {
			d.write("  operation: {join: [%s, %s], with: \" \"}\n", quote(method.path), quote(route.path))
		} else {
			d.write("  operation: %s\n", quote(route.path))
		}
	} else {
		d.write("  operation: {constant: call}   # no field looks like the operation\n")
	}
	return nil
}

func (d *draft) time() *sampled {
	is := func(f *sampled) bool { _, ok := f.layout(); return ok && f.seen == d.records }
	if f := d.take(is, "ts", "time", "timestamp", "at", "created", "created_at", "date", "datetime", "start"); f != nil {
		return f
	}
	for _, f := range d.fields {
		if is(f) {
			d.used[f] = true
			return f
		}
	}
	return nil
}

// columns writes what prices may depend on: numbers as quantities, texts of few
// values as dimensions.
func (d *draft) columns() {
	names := map[string]bool{}
	var dimensions, quantities []string
	for _, f := range d.fields {
		name := columnFor(f, names)
		_, isTime := f.layout()
		if d.used[f] || name == "" || isTime {
			continue
		}
		switch {
		case f.numbers == f.seen && !isCode(f.name):
			names[name] = true
			if f.integers == f.seen {
				quantities = append(quantities, fmt.Sprintf("  %s: %s\n", name, quote(f.path)))
			} else {
				quantities = append(quantities, fmt.Sprintf("  %s: {field: %s, type: decimal}\n", name, quote(f.path)))
			}
		case len(f.values) <= 50 && f.longest <= 64:
			names[name] = true
			dimensions = append(dimensions, fmt.Sprintf("  %s: %s\n", name, quote(f.path)))
		}
	}
	d.section("dimensions:   # texts that prices may depend on", dimensions)
	d.section("quantities:   # numbers that prices multiply", quantities)
}

func (d *draft) section(head string, lines []string) {
	if len(lines) > 0 {
		d.write("%s\n%s", head, strings.Join(lines, ""))
	}
}

// isCode tells numbers that name something from those that count.
func isCode(name string) bool {
	return slices.ContainsFunc([]string{"status", "code", "version", "port", "id"}, func(word string) bool {
		return name == word || strings.HasSuffix(name, "_"+word)
	})
}

var notColumn = regexp.MustCompile(`[^a-z0-9]+`)

// columnFor makes a column's name of a field's, or of its path where that is
// taken; "" where neither will do.
func columnFor(f *sampled, names map[string]bool) string {
	for _, text := range []string{f.name, strings.ToLower(f.path)} {
		name := strings.Trim(notColumn.ReplaceAllString(text, "_"), "_")
		if columnName.MatchString(name) && !names[name] && !taken(name) {
			return name
		}
	}
	return ""
}
