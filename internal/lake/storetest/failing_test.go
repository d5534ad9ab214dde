package storetest_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/lake"
	"github.com/creditmill/creditmill/internal/lake/storetest"
)

// A store that never fails is what the store below it is.
func TestFailingIsAStoreUntilItFails(t *testing.T) {
	storetest.Run(t, func(t *testing.T) lake.Store {
		folder, err := lake.NewFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return &storetest.Failing{Store: folder}
	})
}
