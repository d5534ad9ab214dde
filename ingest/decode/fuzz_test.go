package decode

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzObject decodes any bytes as an object of each format: every record becomes
// something, and how the stream is cut into reads changes nothing.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		with() + "\n" + with("n", "-1") + "\n\n{", "id,ts,org,op,sub\n1,2026-10-12T10:00:00Z,a,x,\"y\n\"\n\"", "\xEF\xBB\xBF\r\n" + with("id", `"\u00e9"`, "m", `{"model":"x"}`),
		`{"id":"1","account":"a","at":"2026-10-12T10:00:00Z","type":"alert.set","below":1}` + "\n{}",
	} {
		f.Add([]byte(seed))
	}
	sources := []string{mapped, strings.NewReplacer("jsonl", "csv", "m.model", "model").Replace(mapped), accountsSource}
	f.Fuzz(func(t *testing.T, object []byte) {
		for _, yaml := range sources {
			rejects, raws, counts := decodeAll(t, yaml, bytes.NewReader(append(headerFor(yaml), object...)))
			again, rawsAgain, countsAgain := decodeAll(t, yaml, iotest.OneByteReader(bytes.NewReader(append(headerFor(yaml), object...))))
			if fmt.Sprint(rejects, raws, counts) != fmt.Sprint(again, rawsAgain, countsAgain) {
				t.Fatalf("%q: %q %+v at once, %q %+v byte by byte", object, rejects, counts, again, countsAgain)
			}
		}
	})
}

func headerFor(yaml string) []byte {
	if strings.Contains(yaml, "csv") {
		return []byte("id,ts,org,op,sub\n")
	}
	return nil
}
