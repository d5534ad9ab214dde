package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// listRaw lists every raw object that a source reads, by key.
func (m *Mill) listRaw(ctx context.Context) ([]ingest.Object, error) {
	var objects []ingest.Object
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0)) // an identity may be a hash of the content
	var identities []*string
	err := m.eachRaw(ctx, func(store lake.Store, object lake.Object, s *source.Source) error {
		if s == nil {
			return nil
		}
		identity := new(string)
		group.Go(func() (err error) {
			if *identity, err = store.Identity(groupCtx, object); err != nil {
				return fmt.Errorf("raw logs: object %s: %w", object.Key, err)
			}
			return nil
		})
		identities = append(identities, identity)
		objects = append(objects, ingest.Object{
			Source: s, Key: object.Key, Bytes: object.Bytes,
			Open: func(ctx context.Context) (io.ReadCloser, error) { return store.Open(ctx, object.Key) },
		})
		return nil
	})
	if err := errors.Join(err, group.Wait()); err != nil {
		return nil, err
	}
	for i := range objects {
		objects[i].Identity = *identities[i]
	}
	slices.SortFunc(objects, func(a, b ingest.Object) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Source.Name, b.Source.Name))
	})
	return objects, nil
}

// eachRaw calls do for every object of every raw store, with the source that reads
// it, nil for none. An object that two sources match is a ConfigError.
func (m *Mill) eachRaw(ctx context.Context, do func(lake.Store, lake.Object, *source.Source) error) error {
	byRaw := map[string][]*source.Source{}
	for _, s := range m.Sources {
		byRaw[s.Raw] = append(byRaw[s.Raw], s)
	}
	for raw, sources := range byRaw {
		store, err := m.openRaw(raw)
		if err != nil {
			return err
		}
		for object, err := range store.List(ctx, "") {
			if err != nil {
				return fmt.Errorf("raw logs: %w", err)
			}
			s, err := source.Of(sources, raw, object.Key)
			if err != nil {
				return ConfigError{err}
			}
			if err := do(store, object, s); err != nil {
				return fmt.Errorf("raw logs: %w", err)
			}
		}
	}
	return nil
}

// openRaw opens the store that a source names as its own, or the configuration's.
func (m *Mill) openRaw(raw string) (lake.Store, error) {
	place := m.Config.Raw
	if raw != "" {
		var message, hint string
		if place, message, hint = config.ParseLocation(m.Config.Folder, raw); message != "" {
			return nil, ConfigError{fmt.Errorf("raw: %s: %s", message, hint)}
		}
	}
	store, err := openStore(place)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(place.Path); err != nil {
		return nil, ConfigError{fmt.Errorf("raw logs: %w: check `raw:` in the configuration, or make the folder", err)}
	}
	return store, nil
}
