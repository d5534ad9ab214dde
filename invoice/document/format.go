package document

import (
	"bytes"
	"fmt"
	"strings"
)

// A Format is a form that documents are made in.
type Format string

// The formats, which are also what their files' names end in.
const (
	JSON Format = "json"
	HTML Format = "html"
	PDF  Format = "pdf"
)

// Formats are all of them.
func Formats() []Format { return []Format{JSON, HTML, PDF} }

// Render makes the document in a format. missing are the characters that it could not
// show and prints as U+FFFD, each once: only PDF has any, which holds its fonts.
func (d *Document) Render(format Format) (content []byte, missing []rune, err error) {
	switch format {
	case JSON:
		content, err = d.JSON()
		return content, nil, err
	case HTML:
		var out bytes.Buffer
		err = d.HTML(&out)
		return out.Bytes(), nil, err
	case PDF:
		return d.PDF()
	}
	return nil, nil, fmt.Errorf("there is no format %s", format)
}

// FileName is the name of the document's file in a format. Numbers are letters,
// digits, dots, hyphens and underscores already; whatever else one may hold is
// percent-encoded, so that no number leaves its folder, hides or looks like a flag.
func (d *Document) FileName(format Format) string {
	var out strings.Builder
	for i, b := range []byte(d.Number) {
		safe := b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || b == '_' || i > 0 && (b == '.' || b == '-')
		if safe {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String() + "." + string(format)
}
