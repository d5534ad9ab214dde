package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/creditmill/creditmill/internal/lake"
)

// ownerName is the document that says of which lake a copy is. It is written before
// anything else and stays.
const ownerName = "_lake.json"

// An owner is the lake of a copy: the id of its first run, which no other lake has.
type owner struct {
	Lake string `json:"lake"`
}

// publishStore is the store of the copy, and what the keys there begin with.
func (m *Mill) publishStore(ctx context.Context) (store lake.Store, prefix string, err error) {
	place := m.Config.Publish
	for _, s := range m.Sources {
		raw, err := rawPlace(m.Config, s.Raw)
		if err != nil {
			return nil, "", err
		}
		_, in := place.Within(raw)
		if _, around := raw.Within(place); in || around {
			return nil, "", ConfigError{fmt.Errorf("publish and the logs of source %s must not lie within each other (%s, %s): name a place in publish: that nothing else uses", s.Name, place, raw)}
		}
	}
	if relative, in := place.Within(m.Config.Lake); in {
		return m.Lake.Store, relative + "/", nil
	}
	store, err = m.stores.at(ctx, place)
	return store, "", err
}

// claim makes the place this lake's, and refuses one that is not: what is not part of the
// copy is removed there, and the files of another lake have names like ours. A place that
// nobody has claimed must be empty, for it may be a slip.
func (p *publisher) claim(ctx context.Context, there publishListing) error {
	place := p.mill.Config.Publish
	first, err := p.mill.Lake.Run(ctx, 1)
	if err != nil {
		return err
	}
	said, err := p.owner(ctx)
	foreign := slices.IndexFunc(there.strays, func(name string) bool { return !strings.HasPrefix(name, doctorFolder+"/") })
	switch {
	case err != nil:
		return err
	case said.Lake == first.ID:
		return nil
	case said.Lake != "":
		return ConfigError{fmt.Errorf("%s holds the copy of another lake: name another place in publish:, or empty that one", place)}
	case len(there.files) > 0:
		return ConfigError{fmt.Errorf("%s holds files of the names that publish gives, and no %s that says whose: they may be a lake's own. Name another place in publish:, or empty that one", place, ownerName)}
	case foreign >= 0:
		return ConfigError{fmt.Errorf("%s has no %s that says whose copy it is, and holds something else, such as %s: name another place in publish:, or remove what is there", place, ownerName, there.strays[foreign])}
	case p.options.DryRun:
		return nil
	}
	text, err := json.Marshal(owner{first.ID})
	if err != nil {
		return err
	}
	err = p.store.CreateIfAbsent(ctx, p.prefix+ownerName, append(text, '\n'))
	if !errors.Is(err, lake.ErrExists) {
		return err
	}
	if said, err := p.owner(ctx); err != nil || said.Lake == first.ID {
		return err
	}
	return ConfigError{fmt.Errorf("%s holds the copy of another lake: name another place in publish:, or empty that one", place)}
}

// sameLog refuses a copy of a run that the lake's log does not have. Copies of a lake have
// its first run too: a lake that was copied, or restored from a backup, would take the copy
// of the other back to an older run, and names that were forgotten with it.
func (p *publisher) sameLog(ctx context.Context, said said) error {
	var of AsOf
	readable := json.Unmarshal(said.text, &of) == nil // else it is written anew
	if !readable || of.Run < 1 || p.options.Full {
		return nil
	}
	state := p.mill.Lake.State()
	hash := "" // of a run that the log does not have
	switch {
	case of.Run == state.Head:
		hash = state.HeadHash
	case of.Run < state.Head:
		next, err := p.mill.Lake.Run(ctx, of.Run+1)
		if err != nil {
			return err
		}
		hash = next.Previous
	}
	if hash == of.Head {
		return nil
	}
	return ConfigError{fmt.Errorf("%s is as of a run %d that the log of this lake does not have: is this lake a copy of another, or restored from a backup? Name another place in publish:, or make that one this lake's with `creditmill publish --full`", p.mill.Config.Publish, of.Run)}
}

// owner reads whose the place is; none where nobody has claimed it.
func (p *publisher) owner(ctx context.Context) (o owner, err error) {
	text, err := lake.ReadAll(ctx, p.store, p.prefix+ownerName)
	if errors.Is(err, lake.ErrNotFound) {
		return o, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	if err == nil && o.Lake == "" {
		err = errors.New("it names no lake")
	}
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", ownerName, p.mill.Config.Publish, err)
	}
	return o, err
}

// KeepPublished brings the published copy up to date after a run was committed; where
// none is wanted it does nothing.
func (m *Mill) KeepPublished(ctx context.Context) error {
	if m.Config.Publish.IsZero() {
		return nil
	}
	_, err := m.Publish(ctx, PublishOptions{})
	switch {
	case errors.As(err, new(UnsaidError)):
		return fmt.Errorf("the published copy in %s is not up to date, and has no %s: %w: `creditmill publish` tries again", m.Config.Publish, asOfName, err)
	case err != nil:
		return fmt.Errorf("the published copy in %s is not up to date: %w: `creditmill publish` tries again", m.Config.Publish, err)
	}
	return nil
}

// publishedCopy is the copy of this lake where the configuration wants it; ours says
// whether there is one, whole or not. Files of which nothing says whose they are may be ours.
func (m *Mill) publishedCopy(ctx context.Context) (p *publisher, ours bool, err error) {
	if m.Config.Publish.IsZero() {
		return nil, false, nil
	}
	p = &publisher{mill: m}
	if p.store, p.prefix, err = m.publishStore(ctx); err != nil {
		return nil, false, err
	}
	said, err := p.owner(ctx)
	if err != nil {
		return nil, false, err
	}
	if said.Lake == "" {
		there, err := p.list(ctx)
		return p, len(there.files) > 0, err
	}
	first, err := m.Lake.Run(ctx, 1)
	return p, err == nil && said.Lake == first.ID, err
}
