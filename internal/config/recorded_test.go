package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/creditmill/creditmill/internal/config"
)

// What a run recorded reads as it did, without the files, wherever they lay.
func TestARecordedConfigurationReadsAsItDid(t *testing.T) {
	more := t.TempDir()
	for _, name := range []string{"far.yaml", "other.yaml"} {
		if err := os.WriteFile(filepath.Join(more, name), []byte("source: "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder(t, map[string]string{
		"here/creditmill.yaml":  minimal + "sources: [./sources/*.yaml, ../beside/b.yaml, " + more + "/far.yaml]\nprices: [prices/*.yaml]\ntests: [tests/*.yaml]\n",
		"here/sources/a.yaml":   "source: a\n",
		"here/prices/api.yaml":  "table: api\n",
		"here/plans/plans.yaml": "plan: p\n",
		"here/tests/t.yaml":     "prices: []\n",
		"beside/b.yaml":         "source: b\n",
	})
	path, err := filepath.Abs("here")
	if err != nil {
		t.Fatal(err)
	}
	loaded, problems := config.Load(path)
	if problems.Len() > 0 {
		t.Fatal(problems.Err())
	}
	var files []config.File
	for _, file := range loaded.Files() {
		files = append(files, config.RecordedFile("recorded "+file.Path, file.Path, file.Content))
	}
	if err := os.RemoveAll("here"); err != nil {
		t.Fatal(err)
	}
	recorded, problems := config.Recorded(path, files)
	if problems.Len() > 0 {
		t.Fatal(problems.Err())
	}
	paths := func(files []config.File) (list []string) {
		for _, f := range files {
			list = append(list, f.Path+" "+f.SHA256)
		}
		return list
	}
	for what, pair := range map[string][2][]config.File{
		"sources": {loaded.Sources, recorded.Sources}, "prices": {loaded.Prices, recorded.Prices}, "catalog": {loaded.Catalog, recorded.Catalog}, "all": {loaded.Files(), recorded.Files()},
	} {
		if len(pair[0]) == 0 || !slices.Equal(paths(pair[0]), paths(pair[1])) {
			t.Errorf("%s: %q, were %q", what, paths(pair[1]), paths(pair[0]))
		}
	}
	if len(loaded.Sources) != 3 || len(recorded.Tests) != 0 || recorded.Lake != loaded.Lake || recorded.Raw != loaded.Raw {
		t.Errorf("%d sources, %d tests, lake %v, raw %v", len(loaded.Sources), len(recorded.Tests), recorded.Lake, recorded.Raw)
	}
	if _, problems := config.Recorded(path, nil); problems.Len() != 1 {
		t.Errorf("of nothing: %v", problems.Err())
	}
	if _, problems := config.Recorded(path, files[:1]); problems.Len() == 0 {
		t.Error("files that the configuration names are missing, and nobody says so")
	}
}
