package origin

import (
	"sync/atomic"
	"time"
)

// Stats is what the origin has done since it was made.
type Stats struct {
	Requests []RequestCount
	// BodyBytes have been sent, headers not counted.
	BodyBytes uint64
	// Connections are open; ConnectionsRefused were one too many.
	Connections        int64
	ConnectionsRefused uint64
	// Waiting requests have no answer yet. Waits is how many there have been, WaitTime how long they
	// took altogether, whatever they ended with.
	Waiting  int64
	Waits    uint64
	WaitTime time.Duration
	// Listening connections are told cue events.
	Listening int64
}

// RequestCount counts the requests of a kind that were answered with a status.
type RequestCount struct {
	// Kind is "multivariant", "playlist", "blocking_playlist", "video", "audio", "cue", "cue_list",
	// "cue_events", "page" or "other".
	Kind string
	// Status is that of the response; 499 for a viewer who did not wait for it.
	Status int
	Count  uint64
	Bytes  uint64
}

// statuses are those that are counted apart; the rest is counted as the first.
var statuses = [...]int{0, 200, 204, 206, 301, 304, 400, 404, 405, 416, 499, 500, 503}

var statusSlot = func() (t [600]uint8) {
	for i, s := range statuses {
		t[s] = uint8(i)
	}
	return t
}()

type counters struct {
	requests    [numKinds][len(statuses)]struct{ n, bytes atomic.Uint64 }
	waits       atomic.Uint64
	waitTime    atomic.Int64
	connections gauge
	refused     atomic.Uint64
}

func (c *counters) waited(d time.Duration) {
	c.waits.Add(1)
	c.waitTime.Add(int64(d))
}

// count notes the answer. It is called once for each request.
func (e *exchange) count(status int, bodyBytes int64) {
	slot := uint8(0)
	if uint(status) < uint(len(statusSlot)) {
		slot = statusSlot[status]
	}
	c := &e.s.counters.requests[e.kind][slot]
	c.n.Add(1)
	if bodyBytes > 0 {
		c.bytes.Add(uint64(bodyBytes))
	}
}

// Stats returns the counts at this moment.
func (s *Server) Stats() Stats {
	st := Stats{
		Connections:        s.counters.connections.n.Load(),
		ConnectionsRefused: s.counters.refused.Load(),
		Waiting:            s.waiting.n.Load(),
		Listening:          s.listening.n.Load(),
		Waits:              s.counters.waits.Load(),
		WaitTime:           time.Duration(s.counters.waitTime.Load()),
	}
	for k := range s.counters.requests {
		for i := range s.counters.requests[k] {
			c := &s.counters.requests[k][i]
			n, bytes := c.n.Load(), c.bytes.Load()
			if n == 0 {
				continue
			}
			st.BodyBytes += bytes
			st.Requests = append(st.Requests, RequestCount{caching[k].name, statuses[i], n, bytes})
		}
	}
	return st
}
