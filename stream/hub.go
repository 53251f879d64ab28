// Package stream is the hall of the house: it knows the shows by name, keeps a log of each one's recent
// events, and lets readers follow with a cursor.
//
// The publisher never waits for a reader. A show outlives its host's connection: when the host goes, it
// is interrupted, and whoever comes back within the reconnect window goes on with it.
package stream

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What callers act on.
var (
	// ErrClosed: the show, or the hub, is over.
	ErrClosed = errors.New("the show is over")
	// ErrBusy: there are as many shows as the configuration allows.
	ErrBusy = errors.New("the server has as many shows as it may have (max_streams)")
	// ErrTakenOver: the same key has been used to publish again.
	ErrTakenOver = errors.New("the same stream key has started to publish from another connection")
	// ErrCut: an operator has ended the show.
	ErrCut = errors.New("an operator has ended the show")
	// ErrBarred: an operator has ended the show of that name a short while ago.
	ErrBarred = errors.New("an operator has ended this show; ask before you start it again")
	// ErrCrowded: the show has as many contributors as it may have.
	ErrCrowded = errors.New("the show has as many contributors as it may have")
	// ErrRoles: the show has had as many roles of contributors as it may have in its life.
	ErrRoles = errors.New("the show has had as many roles of contributors as it may have")
	// ErrPast: what has been made is of an epoch of the show that is over.
	ErrPast = errors.New("the host has begun anew")
	// ErrLagged: the reader has been too slow and has lost events. It goes on with the next keyframe.
	ErrLagged = errors.New("reader too slow: events were lost")
)

// cutHold is how long a name is barred after an operator has ended its show: encoders reconnect by
// themselves within seconds.
const cutHold = 10 * time.Minute

// Hub knows the shows that are on, by name. Its methods are safe for concurrent use and do not block.
type Hub struct {
	cfg    Config
	log    *slog.Logger
	onShow func(*Stream)

	mu      sync.Mutex // guards what follows
	streams map[string]*Stream
	barred  map[string]time.Time
	lastID  int64
	closed  bool
}

// NewHub returns a hub. onShow is called with each new show, before its first event and with no lock
// held; it must not block. It may be nil.
func NewHub(cfg Config, log *slog.Logger, onShow func(*Stream)) *Hub {
	if onShow == nil {
		onShow = func(*Stream) {}
	}
	return &Hub{
		cfg:     cfg.WithDefaults(),
		log:     log,
		onShow:  onShow,
		streams: make(map[string]*Stream),
		barred:  make(map[string]time.Time),
	}
}

// Source is where a show comes from, for the log and the operator.
type Source struct {
	Protocol string // "rtmp", "rtsp", ...
	Remote   string // the host's address
	Agent    string // what the encoder calls itself
}

// Publish makes the caller the publisher of the show called name, which goes on if it is waiting for its
// host, and begins otherwise. A publisher that the show still has is told to go: its Done channel is
// closed. Errors are ErrBusy, ErrBarred and ErrClosed.
func (h *Hub) Publish(name string, src Source) (*Publisher, error) {
	return h.enter(name, true, func(s *Stream) (*Publisher, error) { return s.takeOver(src), nil })
}

// Join makes the caller a contributor to the show called name: its tracks stand beside the publisher's. If
// no such show is on, it is made, and waits for its publisher for as long as somebody is there: interpreters
// may come before the host. A contributor of the same role that is still there is told to go. Errors are
// those of Publish, ErrCrowded and ErrRoles; a Derived contribution to a show that is not on is ErrClosed.
func (h *Hub) Join(name string, c Contribution, src Source) (*Publisher, error) {
	return h.enter(name, !c.Derived, func(s *Stream) (*Publisher, error) { return s.contribute(c, src) })
}

// enter finds the show called name, or begins it if the caller may, and lets the caller in.
func (h *Hub) enter(name string, begin bool, let func(*Stream) (*Publisher, error)) (*Publisher, error) {
	h.mu.Lock()
	now := time.Now()
	for n, until := range h.barred {
		if !now.Before(until) {
			delete(h.barred, n)
		}
	}
	s, ok := h.streams[name]
	ok = ok && !s.over()
	switch {
	case h.closed:
		h.mu.Unlock()
		return nil, ErrClosed
	case h.barred[name] != time.Time{}:
		h.mu.Unlock()
		return nil, ErrBarred
	case !ok && !begin:
		h.mu.Unlock()
		return nil, ErrClosed
	case !ok && len(h.streams) >= h.cfg.MaxStreams:
		h.mu.Unlock()
		return nil, ErrBusy
	case !ok:
		s = newStream(h, name, h.epoch(now), now)
		h.streams[name] = s
	}
	p, err := let(s)
	h.mu.Unlock()
	if !ok {
		h.onShow(s)
	}
	return p, err
}

// Stream returns the show that is on under name.
func (h *Hub) Stream(name string) (*Stream, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.streams[name]
	return s, ok
}

// Streams returns the shows that are on, by name.
func (h *Hub) Streams() []*Stream {
	h.mu.Lock()
	list := make([]*Stream, 0, len(h.streams))
	for _, s := range h.streams {
		list = append(list, s)
	}
	h.mu.Unlock()
	slices.SortFunc(list, func(a, b *Stream) int { return cmp.Compare(a.name, b.name) })
	return list
}

// Cut ends the show called name at once and bars the name for a while. It reports whether there was one.
func (h *Hub) Cut(name string) bool {
	h.mu.Lock()
	s, ok := h.streams[name]
	if ok {
		h.barred[name] = time.Now().Add(cutHold)
	}
	h.mu.Unlock()
	if ok {
		s.end(ErrCut, always)
	}
	return ok
}

// Close suspends all shows: no more comes of them here. Publish fails from here on.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	for _, s := range h.Streams() {
		s.end(errShutdown, always)
	}
}

var errShutdown = errors.New("the server is shutting down")

// forget removes s from the names.
func (h *Hub) forget(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[s.name] == s {
		delete(h.streams, s.name)
	}
}

// epoch names a show for ever: by the time at which it began, in milliseconds, to the base of 36. The caller
// holds the lock.
func (h *Hub) epoch(now time.Time) string {
	h.lastID = max(h.lastID+1, now.UnixMilli())
	return "e" + strconv.FormatInt(h.lastID, 36)
}
