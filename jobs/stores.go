package jobs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/creditmill/creditmill/internal/config"
	"github.com/creditmill/creditmill/internal/lake"
)

// stores are the places that a configuration names, each opened once. Objects of
// remote ones are fetched into a scratch folder that lives as long as they do.
type stores struct {
	base       string // folder for scratch
	opened     map[config.Location]lake.Store
	fetched    *scratch // nil as long as every store is a folder
	lake       config.Location
	publish    config.Location
	identities []*lake.Identities // of folders of raw logs
}

// saveIdentities keeps what hashing found out about raw logs for the next process;
// whole says that all objects were asked for.
func (s *stores) saveIdentities(whole bool) error {
	var errs []error
	for _, i := range s.identities {
		errs = append(errs, i.Save(whole))
	}
	return errors.Join(errs...)
}

func newStores(c *config.Config) *stores {
	return &stores{base: scratchBase(c), lake: c.Lake, publish: c.Publish, opened: map[config.Location]lake.Store{}}
}

// scratchBase is the folder that scratch folders are made in.
func scratchBase(c *config.Config) string {
	switch {
	case c.Scratch != "":
		return c.Scratch
	case c.Lake.Scheme == "":
		return filepath.Join(c.Lake.Path, ".scratch") // on the lake's file system: an upload is a rename
	default:
		return sharedScratch()
	}
}

// at is the store at a place.
func (s *stores) at(ctx context.Context, place config.Location) (lake.Store, error) {
	if store := s.opened[place]; store != nil {
		return store, nil
	}
	store, err := s.open(ctx, place)
	if err != nil {
		return nil, err
	}
	s.opened[place] = store
	return store, nil
}

func (s *stores) open(ctx context.Context, place config.Location) (lake.Store, error) {
	if place.Scheme != config.SchemeS3 {
		folder, err := lake.NewFolder(place.Path)
		if err == nil && place != s.lake && place != s.publish {
			identities := lake.OpenIdentities(filepath.Join(s.base, fmt.Sprintf("identities-%016x", xxh3.HashString(place.Path))), time.Now)
			folder.Remember(identities)
			s.identities = append(s.identities, identities)
		}
		return folder, err
	}
	if s.fetched == nil {
		var err error
		if s.fetched, err = newScratch(s.base); err != nil {
			return nil, err
		}
	}
	return lake.NewS3(ctx, place.Bucket(), place.Prefix(), lake.S3Options{Fetched: s.fetched.path})
}

// folders are those in which DuckDB finds the files of the lake.
func (s *stores) folders() []string {
	if s.lake.Scheme == "" {
		return []string{s.lake.Path}
	}
	return []string{s.fetched.path}
}

// close removes what was fetched.
func (s *stores) close() error {
	clear(s.opened)
	if s.fetched == nil {
		return nil
	}
	err := s.fetched.close()
	s.fetched = nil
	return err
}
