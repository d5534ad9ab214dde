package period

import "time"

// A Stretch is a time in which the billing time zone is as far ahead of UTC throughout.
type Stretch struct {
	Until time.Time     // its end, not part of it; zero: that of the last is not known
	Ahead time.Duration // whole seconds; negative west of Greenwich
}

// Stretches are the stretches from one instant to another, without gaps: the first holds
// from, the last to.
func (c Calendar) Stretches(from, to time.Time) (list []Stretch) {
	for at := from.UTC(); ; {
		next := c.nextBound(at)
		if next.IsZero() || next.After(to) {
			return append(list, Stretch{Ahead: c.ahead(at)})
		}
		if c.ahead(next) != c.ahead(at) {
			list = append(list, Stretch{Until: next, Ahead: c.ahead(at)})
		}
		at = next
	}
}

func (c Calendar) ahead(t time.Time) time.Duration {
	_, seconds := t.In(c.loc).Zone()
	return time.Duration(seconds) * time.Second
}

// nextBound is an instant after t up to which the zone does not change, or zero where it
// never does again. [time.Time.ZoneBounds] ends stretches at ends of years, too, and in
// leap years gives an end that is not after t: then it is the next day, or the change
// within it.
func (c Calendar) nextBound(t time.Time) time.Time {
	_, end := t.In(c.loc).ZoneBounds()
	if end.IsZero() || end.After(t) {
		return end.UTC()
	}
	low, high := t, t.Add(24*time.Hour)
	if c.ahead(low) == c.ahead(high) {
		return high
	}
	for high.Sub(low) > time.Second {
		middle := low.Add(high.Sub(low) / 2).Truncate(time.Second)
		if c.ahead(middle) == c.ahead(t) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
