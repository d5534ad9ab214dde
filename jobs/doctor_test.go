package jobs

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

func sick(t *testing.T) *doctor {
	t.Helper()
	return &doctor{
		setup: &Setup{Config: &config.Config{Memory: "1GB"}}, clock: time.Now,
		stores: &stores{base: t.TempDir(), opened: map[config.Location]lake.Store{}},
	}
}

// only is the one finding of a check.
func (d *doctor) only(t *testing.T, check string) Finding {
	t.Helper()
	var found []Finding
	for _, f := range d.findings {
		if f.Check == check {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of %s in %+v", len(found), check, d.findings)
	}
	return found[0]
}

// The clock may be 30 seconds off, and 5 minutes with a warning.
func TestTheDoctorComparesClocks(t *testing.T) {
	server := storetest.StartS3(t)
	storetest.SetEnvironment(t, server.Endpoint)
	store, err := lake.NewS3(t.Context(), server.Bucket, "lake", lake.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		off   time.Duration
		state FindingState
		found string
	}{
		{0, Fine, "agrees"},
		{20 * time.Second, Fine, "ahead of it"},
		{time.Minute, Warning, "ahead of it"},
		{-time.Minute, Warning, "behind it"},
		{10 * time.Minute, Wrong, "ahead of it"},
		{-time.Hour, Wrong, "behind it"},
	} {
		d := sick(t)
		d.clock = func() time.Time { return time.Now().Add(test.off) }
		if !d.clockOf(t.Context(), "lake", store) {
			t.Errorf("%v off: no going on", test.off)
		}
		f := d.only(t, "clock")
		if f.State != test.state || !strings.Contains(f.Found, test.found) || (f.Next == "") != (f.State == Fine) {
			t.Errorf("%v off: %+v", test.off, f)
		}
	}
}

// careless is a store that ignores the condition of a conditional write.
type careless struct{ lake.Store }

func (c careless) CreateIfAbsent(ctx context.Context, key string, data []byte) error {
	_ = c.Delete(ctx, key)
	_ = c.Store.CreateIfAbsent(ctx, key, data)
	return nil
}

func TestTheDoctorFindsAStoreWithoutConditionalWrites(t *testing.T) {
	folder, err := lake.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := sick(t)
	d.race(t.Context(), "lake", careless{folder})
	if f := d.only(t, "create"); f.State != Wrong || !strings.HasPrefix(f.Found, "16 of 16 writers") || f.Next == "" {
		t.Errorf("%+v", f)
	}
	if first, err := firstObject(t.Context(), folder, ""); first != nil || err != nil {
		t.Errorf("left behind: %+v, %v", first, err)
	}
}

// A store that refuses is quoted; what it allows is tried all the same.
func TestTheDoctorGoesOnAfterARefusal(t *testing.T) {
	folder := t.TempDir()
	d := sick(t)
	d.setup.Config.Lake = config.Location{Path: filepath.Join(folder, "lake")}
	refusing, err := lake.NewFolder(d.setup.Config.Lake.Path)
	if err != nil {
		t.Fatal(err)
	}
	d.stores.opened[d.setup.Config.Lake] = unlistable{refusing}
	d.lake(t.Context())
	if f := d.only(t, "list"); f.State != Wrong || !strings.Contains(f.Found, "permission") {
		t.Errorf("%+v", f)
	}
	if f := d.only(t, "create"); f.State != Fine {
		t.Errorf("%+v", f)
	}
}

// unlistable is a store whose listing is refused: root, who may run this test, is
// refused nothing by a folder.
type unlistable struct{ lake.Store }

func (unlistable) List(context.Context, string) iter.Seq2[lake.Object, error] {
	return func(yield func(lake.Object, error) bool) { yield(lake.Object{}, fs.ErrPermission) }
}

func TestTheDoctorNamesAScratchThatCannotBeWritten(t *testing.T) {
	d := sick(t)
	d.stores.base = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(d.stores.base, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.scratch(t.Context())
	if f := d.only(t, "write"); f.State != Wrong || !strings.Contains(f.Found, "not a directory") || !strings.Contains(f.Next, "scratch:") {
		t.Errorf("%+v", f)
	}
}

func TestSizesAsDuckDBPrintsThem(t *testing.T) {
	for text, want := range map[string]float64{"512 bytes": 512, "1.5 KiB": 1536, "953.6 MiB": 953.6 * (1 << 20), "2.0 TiB": 2 << 40} {
		if got, err := parseBinaryBytes(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "GiB", "1.5", "3 parsecs"} {
		if got, err := parseBinaryBytes(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
	if got := binaryBytes(1.5 * (1 << 30)); got != "1.5 GiB" {
		t.Errorf("%s", got)
	}
}
