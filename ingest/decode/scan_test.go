package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// scanLine scans line for paths and returns the values found, by path.
func scanLine(line string, paths ...string) (found map[string]string, fault string) {
	t := newTree()
	nodes := map[string]int32{}
	for _, p := range paths {
		nodes[p] = t.add(strings.Split(p, "."))
	}
	s := newScanner(t)
	b := append([]byte(line), "\n#######"...)
	if !s.scan(b, len(line)) {
		return nil, s.fault
	}
	found = map[string]string{}
	for p, node := range nodes {
		switch v := s.get(node); v.kind {
		case slotNull:
		case slotContainer:
			found[p] = "(container)"
		default:
			found[p] = string(v.text)
		}
	}
	return found, ""
}

func TestScanFindsMappedPaths(t *testing.T) {
	found, fault := scanLine(`{"a": {"b":"x\né","c":[{"b":9}]}, "n":-1.50e+2 ,"t":true,"z":null,"o":{},"skip":{"a":{"b":1}}}`,
		"a.b", "a.c", "n", "t", "z", "o", "a.none", "n.b")
	if fault != "" {
		t.Fatal(fault)
	}
	want := map[string]string{"a.b": "x\né", "a.c": "(container)", "n": "-1.50e+2", "t": "true", "o": "(container)"}
	if fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

func TestScanTakesFieldsInAnotherOrder(t *testing.T) {
	tr := newTree()
	a, b := tr.add([]string{"a"}), tr.add([]string{"b"})
	s := newScanner(tr)
	for _, line := range []string{`{"a":"1","b":"2"}`, `{"b":"2","a":"1"}`, `{"x":0,"b":"2","ab":7,"a":"1"}`, `{"a":"1","b" :"2"}`, `{"a":"1","b":"2"}`} {
		if !s.scan([]byte(line+"\n       "), len(line)) {
			t.Fatalf("%s: %s", line, s.fault)
		}
		if string(s.get(a).text) != "1" || string(s.get(b).text) != "2" {
			t.Errorf("%s: a is %q, b is %q", line, s.get(a).text, s.get(b).text)
		}
	}
}

func TestMappedFieldTwiceIsMalformed(t *testing.T) {
	for line, bad := range map[string]bool{
		`{"a":1,"a":1}`: true, `{"o":{"b":1},"o":{"c":2}}`: true, `{"o":{"b":1,"b":2}}`: true, `{"a":1,"\u0061":2}`: true,
		`{"x":1,"x":2,"a":1}`: false, `{"x":{"a":1},"a":1}`: false,
	} {
		if _, fault := scanLine(line, "a", "o.b"); (fault != "") != bad {
			t.Errorf("%s: fault %q", line, fault)
		}
	}
}

func TestHalfOfASurrogatePair(t *testing.T) {
	if _, fault := scanLine(`{"a":"\ud83d"}`, "a"); fault == "" {
		t.Error("taken in a mapped value")
	}
	if _, fault := scanLine(`{"b":"\ud83d"}`, "a"); fault != "" {
		t.Errorf("refused where it is not mapped: %s", fault)
	}
	if found, _ := scanLine(`{"a":"\ud83d\ude00"}`, "a"); found["a"] != "😀" {
		t.Errorf("a whole pair is %q", found["a"])
	}
}

func TestNestingHasALimit(t *testing.T) {
	for depth, bad := range map[int]bool{maxDepth - 1: false, maxDepth: true, 1_000_000: true} {
		line := `{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"
		if _, fault := scanLine(line, "b"); (fault != "") != bad {
			t.Errorf("%d lists deep: fault %q", depth, fault)
		}
	}
}

// FuzzScan holds the scanner to encoding/json: what is taken, and the values.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"x"}`, `{"a":{"b":1}}`, `{"a":1.5e-3,"b":[1,2,{"c":null}]}`, `{"a":"\u00e9\ud83d\ude00\n"}`, `{"a":"` + "\xff" + `"}`,
		`{"a":01}`, `{"a":-}`, `{"a":1}x`, `[1]`, `"x"`, `nul`, `{"a":tru}`, `{"a" : true , "b":false}`, `{"a":"12345678` + "\x01" + `"}`, `{"a":1.}`, `{,}`,
		`{"aé":"é","a":"ééééééééé"}`, `{"a":"b","a":"c"}`, `{"\u0061":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n") || bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) > maxDepth {
			return
		}
		var want map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		valid := json.Valid(line) && utf8.Valid(line) && d.Decode(&want) == nil && want != nil
		found, fault := scanLine(string(line), "a", "b.a")
		if fault != "" {
			if valid && !strings.Contains(fault, "twice") && !strings.Contains(fault, "surrogate") {
				t.Fatalf("%q refused: %s", line, fault)
			}
			return
		}
		if !valid {
			t.Fatalf("%q taken", line)
		}
		compare(t, line, want["a"], found, "a")
		if b, ok := want["b"].(map[string]any); ok {
			compare(t, line, b["a"], found, "b.a")
		}
	})
}

func compare(t *testing.T, line []byte, want any, found map[string]string, path string) {
	t.Helper()
	text, has := found[path]
	switch v := want.(type) {
	case nil:
		if has {
			t.Fatalf("%q: %s is %q, want nothing", line, path, text)
		}
		return
	case string:
		want = v
	case map[string]any, []any:
		want = "(container)"
	default:
		want = fmt.Sprint(v)
	}
	if text != want {
		t.Fatalf("%q: %s is %q, want %q", line, path, text, want)
	}
}
