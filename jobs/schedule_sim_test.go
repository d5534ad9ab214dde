package jobs

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A Sim is a simulated clock that daemons share: it moves on, to the next instant at
// which one of them has something to do, when all of them are idle, and never sleeps.
type Sim struct {
	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration
	end     time.Time
	parties []*SimClock
	events  []simEvent
	stop    context.CancelFunc
}

type simEvent struct {
	at time.Time
	do func()
}

// NewSim is a simulation from start to end, and a context that ends with it.
func NewSim(ctx context.Context, start, end time.Time) (*Sim, context.Context) {
	ctx, stop := context.WithCancel(ctx)
	return &Sim{now: start, end: end, stop: stop}, ctx
}

// A SimClock is the clock of one daemon.
type SimClock struct {
	sim   *Sim
	idle  bool
	next  time.Time
	wake  chan time.Time // of a daemon that waits
	moved bool           // since it last waited
}

// Clock is that of one more daemon.
func (s *Sim) Clock() *SimClock {
	c := &SimClock{sim: s}
	s.parties = append(s.parties, c)
	return c
}

// At does something when the clock comes to an instant; s is not locked then, and
// nothing moves on before it is done.
func (s *Sim) At(at time.Time, do func()) { s.events = append(s.events, simEvent{at, do}) }

// Now is the wall clock.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Set sets the wall clock, as a person or NTP does, or a machine that slept.
func (s *Sim) Set(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(by)
	s.wakeAll()
}

// Pass lets time pass while a job is at work.
func (s *Sim) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.elapsed = s.now.Add(d), s.elapsed+d
	if !s.now.Before(s.end) {
		s.stop()
	}
	s.wakeAll()
}

func (s *Sim) wakeAll() {
	for _, p := range s.parties {
		if p.idle, p.moved = false, true; p.wake != nil {
			p.wake <- s.now
			p.wake, p.moved = nil, false
		}
	}
}

// moveOn goes to the next instant; s is locked.
func (s *Sim) moveOn() {
	to := s.end
	for _, p := range s.parties {
		if !p.next.IsZero() && p.next.Before(to) {
			to = p.next
		}
	}
	if i := slices.IndexFunc(s.events, func(e simEvent) bool { return !e.at.After(to) }); i >= 0 {
		e := s.events[i]
		if d := e.at.Sub(s.now); d > 0 { // the daemons look at the clock first
			s.now, s.elapsed = e.at, s.elapsed+d
			s.wakeAll()
			return
		}
		s.events = slices.Delete(s.events, i, i+1)
		s.mu.Unlock()
		e.do()
		s.mu.Lock()
		s.wakeAll()
		return
	}
	if !to.Before(s.end) {
		s.stop()
		return
	}
	if d := to.Sub(s.now); d > 0 {
		s.now, s.elapsed = to, s.elapsed+d
	}
	s.wakeAll()
}

// Now is the wall clock.
func (c *SimClock) Now() time.Time { return c.sim.Now() }

// Elapsed is the clock that nobody sets.
func (c *SimClock) Elapsed() time.Duration {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return c.sim.elapsed
}

// Idle is the daemon's hook.
func (c *SimClock) Idle(next time.Time) {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	c.idle, c.next, c.wake = true, next, nil
}

// After fires when the simulation has moved on, however far.
func (c *SimClock) After(time.Duration) <-chan time.Time {
	s := c.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	wake := make(chan time.Time, 1)
	if c.wake = wake; c.moved {
		wake <- s.now
		c.wake, c.moved = nil, false
		return wake
	}
	if !slices.ContainsFunc(s.parties, func(p *SimClock) bool { return !p.idle || p.wake == nil }) {
		s.moveOn()
	}
	return wake
}
