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
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditmill/creditmill/ingest"
	"github.com/creditmill/creditmill/ingest/source"
	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// listRaw lists the raw objects that sources read, by key: those of dated paths as
// far back as each source looks from the instant since, or all of them where it
// is zero; and always those that could not be taken in before.
func (m *Mill) listRaw(ctx context.Context, since time.Time) ([]ingest.Object, error) {
	var objects []ingest.Object
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0)) // an identity may be a hash of the content
	var identities []*string
	err := m.eachRaw(ctx, since, func(store lake.Store, object lake.Object, s *source.Source) error {
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
	if err := m.stores.saveIdentities(since.IsZero()); err != nil {
		m.Log.Warn("identities of raw objects are not kept: every object is hashed again next time", "error", err)
	}
	for i := range objects {
		objects[i].Identity = *identities[i]
	}
	slices.SortFunc(objects, func(a, b ingest.Object) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Source.Name, b.Source.Name))
	})
	return objects, nil
}

// eachRaw calls do for the objects of every raw store that are to be listed, see
// listRaw, with the source that reads them, nil for none. An object that two sources
// match is a ConfigError.
func (m *Mill) eachRaw(ctx context.Context, since time.Time, do func(lake.Store, lake.Object, *source.Source) error) error {
	byRaw := map[string][]*source.Source{}
	for _, s := range m.Sources {
		byRaw[s.Raw] = append(byRaw[s.Raw], s)
	}
	for raw, sources := range byRaw {
		store, err := m.openRaw(ctx, raw)
		if err != nil {
			return err
		}
		for _, prefix := range m.prefixes(sources, since) {
			for object, err := range store.List(ctx, prefix) {
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
		if links := linksIn(store); len(links) > 0 {
			m.Log.Warn("symbolic links in the folder of raw logs are not read: put what they lead to in their place", "folder", store.String(), "links", len(links), "first", links[0])
		}
	}
	return nil
}

// linksIn are the keys of symbolic links that a folder's listing has left out.
func linksIn(store lake.Store) []string {
	if folder, ok := store.(*lake.Folder); ok {
		return folder.Links()
	}
	return nil
}

// prefixes are what the keys to list of one store begin with; none begins with
// another, so that each object is listed once.
func (m *Mill) prefixes(sources []*source.Source, since time.Time) []string {
	if since.IsZero() {
		return []string{""} // also those that no source reads
	}
	var all []string
	for _, s := range sources {
		all = append(all, s.Prefixes(since)...)
		for _, unread := range m.Lake.State().Unread {
			if unread.Source == s.Name {
				all = append(all, unread.Object)
			}
		}
	}
	slices.Sort(all)
	var apart []string
	for _, prefix := range all {
		if n := len(apart); n == 0 || !strings.HasPrefix(prefix, apart[n-1]) {
			apart = append(apart, prefix)
		}
	}
	return apart
}

// openRaw opens the store that a source names as its own, or the configuration's.
func (m *Mill) openRaw(ctx context.Context, raw string) (lake.Store, error) {
	place, err := rawPlace(m.Config, raw)
	if err != nil {
		return nil, err
	}
	if place.Scheme == "" {
		if _, err := os.Stat(place.Path); err != nil {
			return nil, ConfigError{fmt.Errorf("raw logs: %w: check `raw:` in the configuration, or make the folder", err)}
		}
	}
	return m.stores.at(ctx, place)
}

// rawPlace is where the logs of a source land: its own raw, or the configuration's.
func rawPlace(c *config.Config, raw string) (config.Location, error) {
	if raw == "" {
		return c.Raw, nil
	}
	place, message, hint := config.ParseLocation(c.Folder, raw)
	if message != "" {
		return place, ConfigError{fmt.Errorf("raw: %s: %s", message, hint)}
	}
	return place, nil
}
