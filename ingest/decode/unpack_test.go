package decode

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func zst(text string) string {
	w, _ := zstd.NewWriter(nil)
	defer w.Close()
	return string(w.EncodeAll([]byte(text), nil))
}

// unpacked decodes a packed object of JSON lines.
func unpacked(t *testing.T, key, packed string) decoded {
	t.Helper()
	var u Unpacker
	defer u.Close()
	whole := decodeObject(t, mapped, key, u.Open(key, strings.NewReader(packed)))
	bytewise := decodeObject(t, mapped, key, u.Open(key, iotest.OneByteReader(strings.NewReader(packed))))
	if fmt.Sprint(whole) != fmt.Sprint(bytewise) {
		t.Errorf("%s: %+v, byte by byte %+v", key, whole, bytewise)
	}
	return whole
}

func call(i int) string { return with("id", fmt.Sprintf(`"%d-%d"`, i, i*7919%1009)) + "\n" }

func calls(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(call(i))
	}
	return text.String()
}

func TestUnpackSeveralMembersAndFrames(t *testing.T) {
	one, half := call(1), call(2)
	skippable := "\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
	for name, c := range map[string]struct{ key, packed string }{
		"gzip members, one of them empty, a line over two": {"k.gz", gz(one) + gz("") + gz(half[:20]) + gz(half[20:])},
		"zstd frames":                       {"k.zst", zst(one) + zst(half[:20]) + zst(half[20:])},
		"zstd frames, one to skip":          {"k.zst", zst(one) + skippable + zst(half)},
		"the ending counts, not the format": {"k.jsonl.old.gz", gz(one + half)},
	} {
		if got := unpacked(t, c.key, c.packed); len(got.events) != 2 || len(got.rejects) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestUnpackWithoutRecords(t *testing.T) {
	for _, c := range []struct{ key, packed string }{
		{"k", ""}, {"k.gz", ""}, {"k.zst", ""}, {"k.gz", gz("")}, {"k.zst", zst("")}, {"k", "\n\r\n \t\n"}, {"k.gz", gz("\n\n")}, {"k", "\xEF\xBB\xBF"}, {"k", "\xEF\xBB\xBF\r\n"},
	} {
		if got := unpacked(t, c.key, c.packed); got.counts.Records != 0 {
			t.Errorf("%s %q: %+v", c.key, c.packed, got)
		}
	}
	yaml := strings.Replace(mapped, "jsonl", "csv", 1)
	for _, text := range []string{"", "\n\n", "id,ts,org", "id,ts,org\n", "\xEF\xBB\xBFid,ts,org\r\n\r\n"} {
		if got := decodeObject(t, yaml, "k", strings.NewReader(text)); got.counts.Records != 0 {
			t.Errorf("CSV %q: %+v", text, got)
		}
	}
}

// What is no gzip is never read as text, whatever it is.
func TestUnpackWhatIsNotPackedAsItsNameSays(t *testing.T) {
	text := call(1) + call(2)
	for _, c := range []struct{ key, packed, want string }{
		{"k.gz", text, "1 truncated: the object ends here: it cannot be unpacked as gzip: gzip: invalid header"},
		{"k.gz", zst(text), "1 truncated: the object ends here: it cannot be unpacked as gzip: gzip: invalid header"},
		{"k.gz", "x", "1 truncated: the object ends here: its gzip breaks off: unexpected EOF"},
		{"k.zst", text, "1 truncated: the object ends here: it cannot be unpacked as zstd: invalid input: magic number mismatch"},
		{"k.zst", gz(text), "1 truncated: the object ends here: it cannot be unpacked as zstd: invalid input: magic number mismatch"},
		{"k", gz(text)[:20], "1 malformed: expected a value at byte 1"},
	} {
		got := unpacked(t, c.key, c.packed)
		if len(got.events) != 0 || len(got.rejects) != 1 || got.rejects[0] != c.want {
			t.Errorf("%s: %q, want %q", c.key, got.rejects, c.want)
		}
	}
	got := unpacked(t, "k.gz", gz(text)+"\x00\x00\x00")
	if len(got.events) != 2 || len(got.rejects) != 1 || !strings.HasPrefix(got.rejects[0], "3 truncated: ") {
		t.Errorf("rubbish behind the gzip: %+v", got)
	}
}

// What came before the damage counts, and the damage is one reject: whatever byte the
// object ends at.
func TestUnpackTruncated(t *testing.T) {
	const n = 200
	text := calls(n)
	for key, packed := range map[string]string{"k.gz": gz(text), "k.zst": zst(text[:len(text)/2]) + zst(text[len(text)/2:])} {
		kept, most := 0, 0
		for end := 1; end < len(packed); end += 13 {
			var u Unpacker
			got := decodeObject(t, mapped, key, u.Open(key, strings.NewReader(packed[:end])))
			u.Close()
			frameEnds := key == "k.zst" && len(got.rejects) == 0 && len(got.events) > 0 // all of the first frame, no more
			if !frameEnds && (len(got.rejects) != 1 || !strings.HasPrefix(got.rejects[0], fmt.Sprint(len(got.events)+1, " truncated: the object ends here: its "))) || len(got.events) < kept {
				t.Fatalf("%s cut at %d of %d: %d events, %q", key, end, len(packed), len(got.events), got.rejects)
			}
			if len(got.rejects) == 1 && !strings.HasPrefix(call(len(got.events)), got.raws[0]) {
				t.Fatalf("%s cut at %d: the raw %q", key, end, got.raws[0])
			}
			kept, most = len(got.events), max(most, len(got.events))
		}
		if most < n/3 {
			t.Errorf("%s: at most %d events were kept", key, most)
		}
	}
}

func TestUnpackCorruptInTheMiddle(t *testing.T) {
	const n = 3000
	text := calls(n)
	for key, packed := range map[string]string{"k.gz": gz(text), "k.zst": zst(text)} {
		for at := len(packed) / 3; at < len(packed)-12; at += len(packed) / 7 {
			damaged := []byte(packed)
			damaged[at] ^= 0x55
			var u Unpacker
			got := decodeObject(t, mapped, key, u.Open(key, bytes.NewReader(damaged)))
			u.Close()
			if last := len(got.rejects) - 1; last < 0 || !strings.Contains(got.rejects[last], " truncated: the object ends here: ") || got.counts.ByReason[Truncated] != 1 {
				t.Errorf("%s damaged at %d: %d events, %q", key, at, len(got.events), got.rejects)
			}
			if key == "k.gz" && len(got.events) == 0 {
				t.Errorf("%s damaged at %d: nothing was kept", key, at)
			}
		}
	}
}
