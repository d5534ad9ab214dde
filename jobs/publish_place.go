package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
// copy is removed there, and the files of another lake have names like ours.
func (p *publisher) claim(ctx context.Context, there publishListing) error {
	place := p.mill.Config.Publish
	first, err := p.mill.Lake.Run(ctx, 1)
	if err != nil {
		return err
	}
	said, err := p.owner(ctx)
	switch {
	case err != nil:
		return err
	case said.Lake == first.ID:
		return nil
	case said.Lake != "":
		return ConfigError{fmt.Errorf("%s holds the copy of another lake: name another place in publish:, or empty that one", place)}
	case len(there.files) > 0:
		return ConfigError{fmt.Errorf("%s holds files of the names that publish gives, and no %s that says whose: they may be a lake's own. Name another place in publish:, or empty that one", place, ownerName)}
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
	if err != nil {
		err = fmt.Errorf("the published copy in %s is not up to date: %w: `creditmill publish` tries again", m.Config.Publish, err)
	}
	return err
}

// publishedCopy is the copy of this lake where the configuration wants it; ours says
// whether there is one, whole or not.
func (m *Mill) publishedCopy(ctx context.Context) (p *publisher, ours bool, err error) {
	if m.Config.Publish.IsZero() {
		return nil, false, nil
	}
	p = &publisher{mill: m}
	if p.store, p.prefix, err = m.publishStore(ctx); err != nil {
		return nil, false, err
	}
	said, err := p.owner(ctx)
	if err != nil || said.Lake == "" {
		return nil, false, err
	}
	first, err := m.Lake.Run(ctx, 1)
	return p, err == nil && said.Lake == first.ID, err
}
