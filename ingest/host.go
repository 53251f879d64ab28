package ingest

import (
	"sync"
	"time"

	"pushcart/media"
)

const (
	// keptKeyframes is how many of the host's keyframes are remembered for renditions to line up with.
	keptKeyframes = 64
	// delayUnits is the number of units over which the host's delay is averaged: some twenty seconds.
	delayUnits = 1500
)

// hostClock is what the sessions of a show's contributors need to know of its host's. Each show has one, for
// as long as it is on. Its methods are safe for concurrent use.
type hostClock struct {
	mu      sync.Mutex // guards what follows
	session int        // counts the host's sessions that have begun; 0: none has
	began   time.Duration
	newest  time.Duration // show time of the newest audio or video unit
	offset  time.Duration // added to the encoder's time
	delay   mean          // how far units arrive behind their show time, beside the wall clock
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
	h.began, h.newest, h.delay, h.keys, h.frame = at, at, mean{}, nil, frameLength{}
}

// heard notes a unit of the host's at a show time that arrives when the wall clock says that the show is as
// old as wall.
func (h *hostClock) heard(at, wall, offset time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest, h.offset = max(h.newest, at), offset
	h.delay.add(float64(wall-at), delayUnits)
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
	return hostTime{
		session: h.session, began: h.began, newest: h.newest, offset: h.offset,
		delay: time.Duration(h.delay.value), frame: h.frame, keys: h.keys[:len(h.keys):len(h.keys)],
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

// mean is a running one. It is that of all values at first, and later forgets the oldest gradually.
type mean struct {
	value float64
	n     float64
}

// add takes a value; most bounds the number of values that count.
func (m *mean) add(v, most float64) {
	m.n = min(m.n+1, most)
	m.value += (v - m.value) / m.n
}
