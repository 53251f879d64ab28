package cue

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// What those who write see.

// view says what a revision is now.
func (x *tx) view(r *revision, content bool) Cue {
	c := Cue{
		ID: r.id, Rev: r.rev, Kind: r.kind, Slot: r.slot, State: x.stateOf(r), Hash: r.hash,
		Durable: x.t.journal != nil || x.t.book.closed.Load(),
	}
	if x.t.live != nil {
		_, c.Announced = x.t.live.posted[r.key()]
		c.Announced = c.Announced || r.placed && r.start <= x.now
	}
	switch {
	case r.placed:
		c.Start = x.instant(r.start)
		if end := x.s.effective(r); end != Open {
			c.End = x.instant(end)
		}
	case r.withdrawn:
	case r.at.By == byDate:
		c.Start, c.Waits = dateOnly(time.Unix(0, r.at.N)), "show"
	case r.at.By == byKeyframe:
		c.Waits = "keyframe"
	default:
		c.Waits = "show"
	}
	if !r.placed && r.end.By == byDate {
		c.End = dateOnly(time.Unix(0, r.end.N))
	}
	if content {
		c.Content = r.doc
	}
	return c
}

// instant is a moment of the show that is on, or of the last one.
func (x *tx) instant(ticks int64) *Instant {
	seconds := mediaSeconds(ticks)
	date := x.s.show.date(ticks).Truncate(time.Millisecond).UTC()
	return &Instant{&seconds, &date}
}

// mediaSeconds is a media time as people read it, to the microsecond: any frame is found by it.
func mediaSeconds(ticks int64) float64 {
	return math.Round(float64(ticks)/Timescale*1e6) / 1e6
}

func dateOnly(t time.Time) *Instant {
	t = t.UTC()
	return &Instant{Date: &t}
}

// stateOf says where a revision is in its life.
func (x *tx) stateOf(r *revision) State {
	switch {
	case r.withdrawn:
		return Withdrawn
	case !r.placed:
		return Pending
	}
	end := x.s.effective(r)
	switch now := x.clockNow(); {
	case end <= r.start:
		return Withdrawn
	case !x.s.on || end <= now:
		return Over
	case r.start <= now:
		return Active
	}
	return Pending
}

// clockNow is the media time of the moment; of a show whose host is awaited after a restart, by the wall clock.
func (x *tx) clockNow() int64 {
	if x.on() || !x.s.on {
		return x.now
	}
	return x.s.show.ticks(x.wall)
}

// lookUp is view of the newest revision of an id, for answers to what was done before.
func (x *tx) lookUp(id string) Cue {
	if c := x.s.cues[id]; c != nil {
		return x.view(c.latest(), true)
	}
	return Cue{ID: id, Rev: x.s.used[id].rev, State: Over, Durable: true} // of a former show
}

// see runs f with what there is now.
func (t *Timeline) see(f func(*tx)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.load()
	t.used = time.Now()
	f(t.newTx())
}

// List returns the newest revision of all cues of the present show, or the last one, and of those that are kept for
// the next.
func (t *Timeline) List() Listing {
	out := Listing{Name: t.name, Cues: []Cue{}}
	t.see(func(x *tx) {
		if x.on() {
			out.Show = &OnAir{Epoch: x.s.show.epoch, Start: x.s.show.start.UTC(), Now: mediaSeconds(x.now)}
		}
		latest := make([]*revision, 0, len(x.s.cues))
		for _, c := range x.s.cues {
			latest = append(latest, c.latest())
		}
		slices.SortFunc(latest, func(a, b *revision) int {
			return cmp.Or(-compareBool(a.placed, b.placed), cmp.Compare(a.start, b.start), bySeq(a, b))
		})
		for _, r := range latest {
			out.Cues = append(out.Cues, x.view(r, false))
		}
	})
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Get returns the newest revision of a cue. The error is an *Error.
func (t *Timeline) Get(id string) (c Cue, err error) {
	t.see(func(x *tx) {
		s, ok := x.s.cues[id]
		if !ok {
			err = noSuchCue(id)
			return
		}
		c = x.view(s.latest(), true)
	})
	return c, err
}

func noSuchCue(id string) *Error {
	return refuse(NotFound, "there is no cue %s: the list of cues has the ids", quote(id))
}

// Rundown returns the run of show as it is. It is empty if there is none.
func (t *Timeline) Rundown() (r Rundown) {
	t.see(func(x *tx) { r = x.rundown() })
	return r
}

// Settings returns what is set for the show's name.
func (t *Timeline) Settings() (s Settings) {
	t.see(func(x *tx) { s = x.settings() })
	return s
}

func (x *tx) settings() Settings {
	s := Settings{Configured: x.t.book.cfg.delay(x.t.name).Seconds()}
	if s.Delay = s.Configured; x.s.delay != nil {
		s.Delay, s.Set = x.s.delay.Seconds(), true
	}
	return s
}
