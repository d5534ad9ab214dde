package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditmill/creditmill/internal/lake"
)

// A Failure is a scheduled job that does not get its work done, as the daemon that
// runs it last told the lake: `failures/JOB-ULID.json`. It is a note to people and
// nothing reads it to decide anything.
type Failure struct {
	Job      string    `json:"job"`
	Since    time.Time `json:"since"`    // of the first attempt in a row that did not succeed
	Last     time.Time `json:"last"`     // of the newest
	Attempts int       `json:"attempts"` // in a row
	Error    string    `json:"error"`    // of the newest
	Blocked  bool      `json:"blocked"`  // a close that waits for a person, and no fault of the machine
	Next     time.Time `json:"next"`     // when it is tried again
}

const failuresPrefix = "failures/"

// maxFailureError is how many bytes of an error a record keeps.
const maxFailureError = 4096

// Failures lists the scheduled jobs that do not get their work done, by job. A record
// that cannot be understood is left out, and so is one that goes while it is read.
func (m *Mill) Failures(ctx context.Context) ([]Failure, error) {
	newest := map[string]Failure{}
	for object, err := range m.Lake.Store.List(ctx, failuresPrefix) {
		if err != nil {
			return nil, fmt.Errorf("list the failures of scheduled jobs: %w", err)
		}
		data, err := lake.ReadAll(ctx, m.Lake.Store, object.Key)
		if errors.Is(err, lake.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", object.Key, err)
		}
		var f Failure
		if json.Unmarshal(data, &f) != nil || f.Job == "" {
			continue
		}
		if known, ok := newest[f.Job]; !ok || f.Last.After(known.Last) {
			newest[f.Job] = f
		}
	}
	var failures []Failure
	for _, f := range newest {
		failures = append(failures, f)
	}
	slices.SortFunc(failures, func(a, b Failure) int { return cmp.Compare(a.Job, b.Job) })
	return failures, nil
}

// recordFailure writes a record and deletes the older ones of its job, and returns
// its key; previous is the caller's own last one, or empty. Newer ones are another
// daemon's and stay, so that of two that write at once one is left.
func recordFailure(ctx context.Context, store lake.Store, f Failure, previous string) (string, error) {
	if len(f.Error) > maxFailureError {
		f.Error = strings.ToValidUTF8(f.Error[:maxFailureError], "") + " …"
	}
	data, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return "", fmt.Errorf("record of the failure of %s: %w", f.Job, err)
	}
	key := failuresPrefix + f.Job + "-" + lake.NewRunID() + ".json"
	if err := store.CreateIfAbsent(ctx, key, append(data, '\n')); err != nil {
		return "", err
	}
	return key, deleteFailures(ctx, store, f.Job, func(other string) bool { return other < key || other == previous })
}

// clearFailures deletes all records of a job, whoever wrote them: it has succeeded.
func clearFailures(ctx context.Context, store lake.Store, job string) error {
	return deleteFailures(ctx, store, job, func(string) bool { return true })
}

func deleteFailures(ctx context.Context, store lake.Store, job string, which func(key string) bool) error {
	var keys []string
	for object, err := range store.List(ctx, failuresPrefix+job+"-") {
		if err != nil {
			return fmt.Errorf("list the failures of %s: %w", job, err)
		}
		if which(object.Key) {
			keys = append(keys, object.Key)
		}
	}
	var errs []error
	for _, key := range keys {
		errs = append(errs, store.Delete(ctx, key))
	}
	return errors.Join(errs...)
}
