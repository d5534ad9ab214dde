package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/creditmill/creditmill/internal/lake"
)

// doctorFolder holds what the doctor writes into a lake.
const doctorFolder = "doctor"

// doctorWriters is how many race to create one object.
const doctorWriters = 16

// lake looks whether the lake's store does all that commits rest on.
func (d *doctor) lake(ctx context.Context) {
	place := d.setup.Config.Lake
	what := "lake: " + place.String()
	store := d.openStore(ctx, what, place)
	if store == nil {
		return
	}
	first, err := firstObject(ctx, store, "runs/")
	switch {
	case err != nil:
		if !d.report(what, "list", err, "") {
			return
		}
	case first == nil:
		d.note(what, "list", Fine, "", "no run yet")
	default:
		d.note(what, "list", Fine, "", "it has runs")
		d.report(what, "read", readSome(ctx, store, first.Key), "%s can be read", first.Key)
	}
	if d.race(ctx, what, store) {
		d.upload(ctx, what, store)
	}
	if place.Scheme == "" {
		_ = os.Remove(filepath.Join(place.Path, doctorFolder)) // empty, or not ours
	}
}

// race lets many writers create one object at once: one must win, and the object
// must hold what it wrote.
func (d *doctor) race(ctx context.Context, what string, store lake.Store) bool {
	key := doctorFolder + "/" + lake.NewRunID()
	defer d.remove(ctx, what, store, key)
	content := func(writer int) []byte { return fmt.Appendf(nil, "%s written by %d", key, writer) }
	var outcomes [doctorWriters]error
	var group sync.WaitGroup
	for i := range outcomes {
		group.Go(func() { outcomes[i] = store.CreateIfAbsent(ctx, key, content(i)) })
	}
	group.Wait()
	winners, winner := 0, 0
	for i, err := range outcomes {
		switch {
		case err == nil:
			winners, winner = winners+1, i
		case !errors.Is(err, lake.ErrExists):
			return d.report(what, "create", err, "")
		}
	}
	if winners != 1 {
		d.note(what, "create", Wrong, "use a store with conditional writes (If-None-Match: *)",
			"%d of %d writers were told that they created one and the same object: two runs at once would lose one", winners, doctorWriters)
		return true
	}
	d.note(what, "create", Fine, "", "of %d writers at once one won, the others were told", doctorWriters)
	return d.report(what, "read back", sameBytes(ctx, store, key, content(winner)), "what was written")
}

// upload stores a file as runs do, and looks whether it can be read and listed.
func (d *doctor) upload(ctx context.Context, what string, store lake.Store) {
	key := doctorFolder + "/" + lake.NewRunID()
	defer d.remove(ctx, what, store, key)
	s, err := newScratch(d.stores.base)
	if err != nil {
		return // scratch has been reported
	}
	defer func() { _ = s.close() }() // what is left there, the next run clears away
	file := filepath.Join(s.path, doctorFolder)
	err = os.WriteFile(file, []byte(key), 0o600)
	if err == nil {
		err = store.Upload(ctx, key, file)
	}
	if err == nil {
		err = sameBytes(ctx, store, key, []byte(key))
	}
	if err == nil {
		var listed *lake.Object
		if listed, err = firstObject(ctx, store, key); err == nil && (listed == nil || listed.Key != key) {
			err = fmt.Errorf("%s/%s is not listed right after it was written: the store must be strongly consistent", store, key)
		}
	}
	if d.report(what, "upload", err, "read back and listed"); err == nil {
		d.copy(ctx, store, key)
	}
}

// copy looks whether a file of the lake can be copied to where it is published.
func (d *doctor) copy(ctx context.Context, from lake.Store, original string) {
	place := d.setup.Config.Publish
	if place.IsZero() {
		return
	}
	what, to := "publish: "+place.String(), from
	_, within := place.Within(d.setup.Config.Lake)
	if !within {
		if to = d.openStore(ctx, what, place); to == nil {
			return
		}
	}
	key := doctorFolder + "/" + lake.NewRunID()
	defer func() {
		d.remove(ctx, what, to, key)
		if !within && place.Scheme == "" {
			_ = os.Remove(filepath.Join(place.Path, doctorFolder)) // empty, or not ours
		}
	}()
	linked, err := to.Copy(ctx, key, lake.Place{Store: from.String(), Key: original, Bytes: int64(len(original))})
	if err == nil {
		err = sameBytes(ctx, to, key, []byte(original))
	}
	switch {
	case linked:
		d.report(what, "copy", err, "files of the lake are linked, which takes no room")
	case place.Scheme == "":
		d.report(what, "copy", err, "files of the lake are copied, for links are refused there: it takes their room")
	default:
		d.report(what, "copy", err, "files of the lake are copied by the store itself")
	}
}

// remove deletes what the doctor wrote; only its failure is worth a word, but for
// the first: that of the race.
func (d *doctor) remove(ctx context.Context, what string, store lake.Store, key string) {
	err := store.Delete(context.WithoutCancel(ctx), key)
	if err == nil {
		if _, err = store.Open(ctx, key); errors.Is(err, lake.ErrNotFound) {
			err = nil
		} else if err == nil {
			err = fmt.Errorf("%s/%s can be read after it was deleted", store, key)
		}
	}
	if err != nil || !d.has(what, "delete") {
		d.report(what, "delete", err, "gone")
	}
}

func (d *doctor) has(what, check string) bool {
	for _, f := range d.findings {
		if f.What == what && f.Check == check {
			return true
		}
	}
	return false
}
