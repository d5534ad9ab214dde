package document

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// A printed is one piece of text as a PDF has it: decoded from the glyphs on the page
// by the tables that the file gives its readers, as when text is searched or copied.
type printed struct {
	page int
	x, y float64 // from the lower left corner
	font string  // the name of its resource
	text string
}

var (
	pdfObject   = regexp.MustCompile(`(?s)(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj\n`)
	pdfStream   = regexp.MustCompile(`(?s)stream\n(.*)\n?endstream`)
	pdfResource = regexp.MustCompile(`/(F\d+) (\d+) 0 R`)
	pdfUnicode  = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
	pdfRange    = regexp.MustCompile(`<([0-9A-F]{4,})><([0-9A-F]{4,})><([0-9A-F]{4,})>`)
	pdfText     = regexp.MustCompile(`(?s)BT\n(\S+) (\S+) TD\n/(F\d+) .*?\[(.*?)\] TJ`)
	pdfGlyphs   = regexp.MustCompile(`<([0-9A-F]*)>`)
	pdfContents = regexp.MustCompile(`/Contents\s+(\d+) 0 R`)
)

// readPDF is what a PDF prints, page by page in the order it is drawn. It reads what
// gopdf writes, not every PDF.
func readPDF(t *testing.T, content []byte) (texts []printed) {
	t.Helper()
	objects := map[string][]byte{}
	for _, m := range pdfObject.FindAllSubmatch(content, -1) {
		objects[string(m[1])] = m[2]
	}
	unicode := map[string]map[string]string{} // by font, by glyph
	for _, object := range objects {
		if !bytes.Contains(object, []byte("/ProcSet")) {
			continue
		}
		for _, font := range pdfResource.FindAllSubmatch(object, -1) {
			glyphs := map[string]string{}
			to := pdfUnicode.FindSubmatch(objects[string(font[2])])
			for _, m := range pdfRange.FindAllSubmatch(objects[string(to[1])], -1) {
				glyphs[string(m[1])] = fromUTF16(t, string(m[3]))
			}
			unicode[string(font[1])] = glyphs
		}
	}
	page := 0
	for number := 1; objects[strconv.Itoa(number)] != nil; number++ {
		contents := pdfContents.FindSubmatch(objects[strconv.Itoa(number)])
		if contents == nil {
			continue
		}
		page++
		for _, m := range pdfText.FindAllStringSubmatch(unpack(t, objects[string(contents[1])]), -1) {
			var text strings.Builder
			for _, piece := range pdfGlyphs.FindAllStringSubmatch(m[4], -1) {
				for at := 0; at+4 <= len(piece[1]); at += 4 {
					letter, known := unicode[m[3]][piece[1][at:at+4]]
					if !known {
						t.Fatalf("page %d: no text for glyph %s of %s", page, piece[1][at:at+4], m[3])
					}
					text.WriteString(letter)
				}
			}
			x, errX := strconv.ParseFloat(m[1], 64)
			y, errY := strconv.ParseFloat(m[2], 64)
			if errX != nil || errY != nil {
				t.Fatal(errX, errY)
			}
			texts = append(texts, printed{page, x, y, m[3], text.String()})
		}
	}
	return texts
}

func unpack(t *testing.T, object []byte) string {
	t.Helper()
	stream := pdfStream.FindSubmatch(object)
	if stream == nil {
		t.Fatalf("no stream in %.200s", object)
	}
	if !bytes.Contains(object, []byte("/FlateDecode")) {
		return string(stream[1])
	}
	reader, err := zlib.NewReader(bytes.NewReader(stream[1]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fromUTF16(t *testing.T, text string) string {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil || len(data)%2 != 0 {
		t.Fatalf("%q is no UTF-16: %v", text, err)
	}
	var units []uint16
	for at := 0; at < len(data); at += 2 {
		units = append(units, uint16(data[at])<<8|uint16(data[at+1]))
	}
	return string(utf16.Decode(units))
}

// allText is the texts one after the other.
func allText(texts []printed) string {
	var out strings.Builder
	for _, text := range texts {
		out.WriteString(text.text)
	}
	return out.String()
}
