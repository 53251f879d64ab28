package ingest

import (
	"sync"
	"time"

	"pushcart/media"
)

// keptKeyframes is how many of the host's keyframes are remembered for renditions to line up with.
const keptKeyframes = 64

// hostClock is what the sessions of a show's contributors need to know of its host's. Each show has one, for
// as long as it is on. Its methods are safe for concurrent use.
type hostClock struct {
	mu      sync.Mutex // guards what follows
	session int        // counts the host's sessions that have begun; 0: none has
	began   time.Duration
	newest  time.Duration // show time of the newest audio or video unit
	offset  time.Duration // added to the encoder's time
	delay   least         // how far units arrive behind their show time
	keys    []int64       // presentation times of the newest keyframes of the lead, in ticks of video
	frame   frameLength   // of the lead; zero: not known
}

// hostTime is what a hostClock says at one moment.
type hostTime struct {
	session               int
	began, newest, offset time.Duration
	delay                 time.Duration
	frame                 frameLength
	keys                  []int64
}

// begin notes that a session of the host begins at a show time.
func (h *hostClock) begin(at time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session++
	h.began, h.newest, h.delay, h.keys, h.frame = at, at, least{}, nil, frameLength{}
}

// heard notes a unit of the host's at a show time that arrives when the wall clock says that the show is as
// old as wall.
func (h *hostClock) heard(at, wall, offset time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest, h.offset = max(h.newest, at), offset
	h.delay.add(wall-at, wall)
}

// keyframe notes one of the lead's.
func (h *hostClock) keyframe(pts int64, frame frameLength) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.keys) == keptKeyframes {
		h.keys = append(h.keys[:0:0], h.keys[1:]...) // others may hold the old ones
	}
	h.keys, h.frame = append(h.keys, pts), frame
}

// now returns what is known. The keys are shared: read only.
func (h *hostClock) now() hostTime {
	h.mu.Lock()
	defer h.mu.Unlock()
	delay, _ := h.delay.value()
	return hostTime{
		session: h.session, began: h.began, newest: h.newest, offset: h.offset,
		delay: delay, frame: h.frame, keys: h.keys[:len(h.keys):len(h.keys)],
	}
}

// nearest returns the host's keyframe that is nearest to a presentation time, and how much later it is.
func (h hostTime) nearest(at time.Duration) (pts int64, later time.Duration, ok bool) {
	for _, key := range h.keys {
		if d := media.Duration(key, videoTimescale) - at; !ok || d.Abs() < later.Abs() {
			pts, later, ok = key, d, true
		}
	}
	return pts, later, ok
}

// How long delays are looked at: networks and encoders make units late and never early, so that the fastest of
// half a minute tells how far away somebody is, whatever happens to the others.
const (
	leastSpan  = 10 * time.Second
	leastSpans = 3
)

// least is the least of the values of the last half minute or so.
type least struct {
	spans [leastSpans]time.Duration // the newest first
	n     int                       // that have begun
	since time.Duration             // the newest one's beginning
}

// add takes a value at a time of the wall clock.
func (l *least) add(v, wall time.Duration) {
	if l.n == 0 || wall-l.since >= leastSpan {
		copy(l.spans[1:], l.spans[:])
		l.spans[0], l.since = v, wall
		l.n++
	}
	l.spans[0] = min(l.spans[0], v)
}

// value returns the least, and whether enough time has been looked at to trust it.
func (l *least) value() (v time.Duration, trusted bool) {
	for i, s := range l.spans[:min(l.n, leastSpans)] {
		if i == 0 || s < v {
			v = s
		}
	}
	return v, l.n > leastSpans
}
