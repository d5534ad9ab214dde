package bucket

// expiries are the buckets of a Set that expire at all, as a heap: the first to
// expire is at the front. Those that have left the Set stay until they come to the
// front.
type expiries []*Bucket

func (e *expiries) add(b *Bucket) {
	if b.expires == Never {
		return
	}
	h := append(*e, b)
	i := len(h) - 1
	for i > 0 {
		above := (i - 1) / 2
		if h[above].expires <= h[i].expires {
			break
		}
		h[above], h[i] = h[i], h[above]
		i = above
	}
	*e = h
}

// first is the first bucket of the Set to expire; nil if none does.
func (e *expiries) first() *Bucket {
	for len(*e) > 0 && !(*e)[0].live {
		e.drop()
	}
	if len(*e) == 0 {
		return nil
	}
	return (*e)[0]
}

// drop takes the front out.
func (e *expiries) drop() {
	h := *e
	last := len(h) - 1
	h[0], h[last] = h[last], nil
	h = h[:last]
	for i := 0; ; {
		least := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(h); below++ {
			if h[below].expires < h[least].expires {
				least = below
			}
		}
		if least == i {
			break
		}
		h[least], h[i] = h[i], h[least]
		i = least
	}
	*e = h
}
