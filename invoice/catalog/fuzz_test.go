package catalog_test

import (
	"testing"

	"github.com/creditmill/creditmill/internal/yamlfile"
	"github.com/creditmill/creditmill/invoice/catalog"
)

// FuzzParse asserts that no bytes make the parser panic, and that a catalog
// without problems keeps what its types promise.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		sample, planHead + planBody, packHead + packBody, "plan:\n", "pack: {}\n", planHead + "overage: {steps: [1, {}], price: 1}\nfee: [1]\nrollover: x\nrate_limit: []\n",
		planHead + planBody + "overage: {steps: [{up_to: 1, price: {USD: 1}}, {price: {USD: 2}}]}\n---\n" + planHead + "fee: {EUR: 1}\n", "---\n- 1\n---\nplan: *a\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var p yamlfile.Problems
		c := catalog.Parse([]catalog.File{{Name: "f.yaml", Content: src}}, &p)
		if p.Len() > 0 {
			_ = p.Err().Error()
			return
		}
		if len(c.Plans())+len(c.Packs()) == 0 {
			t.Error("no version and no problem")
		}
		for _, plan := range c.Plans() {
			if plan.Name == "" || plan.Version < 1 || plan.EffectiveFrom.IsZero() || len(plan.SHA256) != 64 || plan.Allowance.Sign() < 0 || plan.Fee != nil && len(plan.Fee) == 0 {
				t.Errorf("%+v", plan)
			}
			if o := plan.Overage; o != nil && (o.Per.Sign() <= 0 || len(o.Steps) == 0 || o.Steps[len(o.Steps)-1].UpTo != nil || len(o.Steps[0].Price) == 0) {
				t.Errorf("%+v", o)
			}
			if found, ok := c.Plan(plan.Name, plan.EffectiveFrom); !ok || !found.EffectiveFrom.Equal(plan.EffectiveFrom) {
				t.Errorf("%s %d is not in force when it begins", plan.Name, plan.Version)
			}
		}
		for _, pack := range c.Packs() {
			if pack.Name == "" || pack.Credits.Sign() <= 0 || len(pack.Price) == 0 {
				t.Errorf("%+v", pack)
			}
		}
	})
}
