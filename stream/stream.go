package stream

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	"pushcart/media"
)

// State is what a show is doing.
type State uint8

// The states of a show.
const (
	// Waiting: a host has connected; nothing has been heard or seen yet.
	Waiting State = iota
	// Live: the host is sending.
	Live
	// Interrupted: the host has gone, and may come back within the reconnect window.
	Interrupted
	// Ended: it is over.
	Ended
)

// String returns the state's name as the API has it.
func (s State) String() string {
	return [...]string{"waiting", "live", "interrupted", "ended"}[s]
}

const (
	// head is the media time at which a show begins. It leaves room for a track whose first unit is
	// presented a little before that of the others.
	head = time.Second

	// The log holds the newest GOP, and what a reader has not seen yet; but not more than this.
	maxLogEvents = 16 << 10
	maxLogBytes  = 32 << 20
)

// Stream is one show: a log of events that begins with EventTracks and ends with EventEnded. Its methods
// are safe for concurrent use.
type Stream struct {
	hub   *Hub
	name  string
	epoch string
	start time.Time
	done  chan struct{} // closed at the end

	mu        sync.Mutex // guards what follows
	state     State
	since     time.Time // of the state
	publisher *Publisher
	sides     map[string]*Publisher // contributors by role
	bases     map[string]int        // what their track IDs begin with, by role; kept when they go
	source    Source                // of the publisher, or the last one
	window    *time.Timer           // ends an interrupted show
	until     time.Time             // when it does
	begun     bool
	epochs    int // that the show has had

	// The log: events[i] has index first+i.
	events  []Event
	first   int64
	gop     int64 // index of the newest event at which a reader can begin
	bytes   int
	own     []media.Track // the publisher's tracks of the epoch
	tracks  []media.Track // all tracks of the epoch; replaced, never modified
	changed chan struct{} // see Lineup; closed and replaced
	readers []*Reader
	notes   []note
	hooks   []*keyframeHook

	latest time.Duration // media time of the publisher's newest audio or video unit
	shown  time.Duration // the latest presentation time of those
	meter  meter
}

func newStream(h *Hub, name, epoch string, now time.Time) *Stream {
	return &Stream{
		hub:   h,
		name:  name,
		epoch: epoch,
		start: now.Add(-head),
		done:  make(chan struct{}),
		since: now,
		sides: make(map[string]*Publisher),
		bases: make(map[string]int),
		meter: newMeter(),

		changed: make(chan struct{}),
	}
}

// Name is the show's name.
func (s *Stream) Name() string { return s.name }

// Epoch is unlike that of any other show, of whatever name, at any time. It is fit for a URL.
func (s *Stream) Epoch() string { return s.epoch }

// Start is the wall clock time of media time zero. It never changes.
func (s *Stream) Start() time.Time { return s.start }

// Done is closed when the show is over.
func (s *Stream) Done() <-chan struct{} { return s.done }

// over reports whether the show has ended.
func (s *Stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == Ended
}

// takeOver makes a new publisher the one that counts. The show is on: the hub's lock, which end needs to
// forget it, is held, and it was on a moment ago. Should it have ended since, the publisher is born dead.
func (s *Stream) takeOver(src Source) *Publisher {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.publisher; old != nil {
		s.leave(old, ErrTakenOver, s.hub.cfg.ReconnectWindow)
	}
	p := &Publisher{s: s, src: src, done: make(chan struct{})}
	if s.state == Ended {
		p.err = ErrClosed
		close(p.done)
		return p
	}
	s.publisher, s.source = p, src
	if s.window != nil {
		s.window.Stop()
	}
	s.meter.sessions++
	return p
}

// leave ends p, which is the publisher. The show waits for the next one; not at all if it is to end. The
// caller holds the lock.
func (s *Stream) leave(p *Publisher, why error, wait time.Duration) {
	p.err = why
	close(p.done)
	s.publisher = nil
	if s.state != Live {
		return
	}
	s.setState(Interrupted)
	s.forgetDerived()
	s.until = time.Now().Add(wait)
	s.meter.remark(reason(why))
	s.append(Event{Kind: EventInterrupted})
	if wait > 0 {
		s.hub.log.Info("show interrupted", slog.String("stream", s.name), slog.String("why", reason(why)), slog.Duration("waiting", wait))
	}
}

func reason(why error) string {
	if why == nil {
		return "the host has stopped publishing"
	}
	return why.Error()
}

// always is a condition of end.
func always() bool { return true }

// abandoned is a condition of end: nobody has come in the meantime. A show that has not begun also waits as
// long as a contributor does.
func (s *Stream) abandoned() bool {
	return s.publisher == nil && (s.begun || len(s.sides) == 0)
}

// end is the end of the show, if the condition holds, which is asked with the lock held.
func (s *Stream) end(why error, condition func() bool) {
	s.mu.Lock()
	if s.state == Ended || !condition() {
		s.mu.Unlock()
		return
	}
	if p := s.publisher; p != nil {
		s.leave(p, why, 0)
	}
	for _, p := range s.sides {
		s.depart(p, cmp.Or(why, ErrClosed))
	}
	if s.window != nil {
		s.window.Stop()
	}
	s.setState(Ended)
	s.append(Event{Kind: EventEnded, Suspended: why == errShutdown})
	close(s.done)
	began := s.begun
	s.mu.Unlock()
	s.hub.forget(s)
	if began {
		s.hub.log.Info("show ended", slog.String("stream", s.name), slog.String("why", reason(why)),
			slog.Duration("lasted", time.Since(s.start).Round(time.Second)))
	}
}

func (s *Stream) setState(st State) {
	s.state = st
	s.since = time.Now()
}

// append adds an event to the log and wakes the readers that want it. The caller holds the lock.
func (s *Stream) append(ev Event) {
	index := s.first + int64(len(s.events))
	if ev.opens() || ev.Kind == EventUnit && s.canBegin(ev.Unit) {
		s.gop = index
	}
	if ev.Kind != EventUnit {
		s.lineupChanged()
	}
	s.events = append(s.events, ev)
	s.bytes += len(ev.Unit.Data)
	s.trim()
	for _, r := range s.readers {
		if !r.wants(&ev) {
			continue
		}
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// canBegin reports whether a reader can begin with au: at a keyframe of the publisher's first video track, or
// at any sound if there is no video.
func (s *Stream) canBegin(au media.AccessUnit) bool {
	if !au.RandomAccess {
		return false
	}
	audio := false
	for _, t := range s.own {
		switch t.Kind() {
		case media.KindVideo:
			return t.ID == au.Track
		case media.KindAudio:
			audio = audio || t.ID == au.Track
		}
	}
	return audio
}

// trim forgets what lies before the newest GOP and has been read, and, where the log has outgrown its
// bounds, what has not.
func (s *Stream) trim() {
	keep := s.gop
	for _, r := range s.readers {
		keep = min(keep, r.next)
	}
	n := 0
	for n < len(s.events) && (s.first+int64(n) < keep || len(s.events)-n > maxLogEvents || s.bytes > maxLogBytes) {
		s.bytes -= len(s.events[n].Unit.Data)
		n++
	}
	if n == 0 {
		return
	}
	s.events = slices.Delete(s.events, 0, n)
	s.first += int64(n)
}

// Latest returns the media time (DTS) of the publisher's newest audio or video unit, zero before the first.
// It does not go back.
func (s *Stream) Latest() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// Shown returns the latest presentation time of the publisher's audio and video units so far, zero before the
// first. It does not go back.
func (s *Stream) Shown() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// Tracks returns those of the newest epoch, nil before the first. They are shared: read only.
func (s *Stream) Tracks() []media.Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tracks
}
