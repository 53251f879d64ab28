package rtp

import (
	"slices"
	"time"
)

// Sequencer puts the packets of one track in order. The zero value is for a transport that keeps order.
type Sequencer struct {
	// Wait is how long a missing packet is waited for; zero on TCP, where there is nothing to wait for.
	Wait time.Duration

	ssrc    uint32
	next    uint16 // the sequence number that continues the row
	started bool
	held    []Packet  // behind a gap, in order
	since   time.Time // when the first of held came

	probation Packet // the latest packet that did not fit in; two that follow each other are a new row
	probing   bool

	// Counts so far.
	Lost, Late, Reordered, Restarts int64
}

// Ordered is a packet in its place.
type Ordered struct {
	Packet
	// Gap is set when packets before this one are missing for good.
	Gap bool
	// Restart is set when the host has begun a new row: another SSRC, or other sequence numbers. Its
	// timestamps have nothing to do with those before.
	Restart bool
}

const (
	// maxHeld bounds the packets that wait behind a gap: 100 ms of 150 Mb/s.
	maxHeld = 2048
	// maxLate is how far behind a packet may be to be a late one, and not one of a new row.
	maxLate = 4096
	// maxAhead is the same for one that is ahead of its time.
	maxAhead = 2 * maxHeld
)

// Push takes the next packet off the wire and calls emit for those that are in order now.
func (s *Sequencer) Push(p Packet, emit func(Ordered)) {
	switch {
	case !s.started:
		s.restart(p)
		emit(Ordered{Packet: p})
		return
	case p.SSRC != s.ssrc:
		s.probe(p, emit)
		return
	}
	switch d := int(int16(p.Sequence - s.next)); {
	case d == 0:
		s.probing = false
		s.next++
		if len(s.held) > 0 {
			s.Reordered++
		}
		emit(Ordered{Packet: p})
		s.drain(emit)
	case d > maxAhead || d < -maxLate:
		s.probe(p, emit)
	case d < 0:
		s.Late++
	case s.Wait == 0:
		s.Lost += int64(d)
		s.next = p.Sequence + 1
		emit(Ordered{Packet: p, Gap: true})
	default:
		s.hold(p, emit)
	}
}

// Expire gives up on packets that have been missing for too long.
func (s *Sequencer) Expire(now time.Time, emit func(Ordered)) {
	for len(s.held) > 0 && now.Sub(s.since) >= s.Wait {
		s.giveUp(emit)
	}
}

// restart begins a row with p.
func (s *Sequencer) restart(p Packet) {
	s.ssrc, s.next, s.started, s.probing = p.SSRC, p.Sequence+1, true, false
	s.held = nil
}

// probe looks at a packet that is far off: if the one before it was its predecessor, the host has started
// anew (RFC 3550 A.1). A single stray packet changes nothing.
func (s *Sequencer) probe(p Packet, emit func(Ordered)) {
	first := s.probation
	if !s.probing || first.SSRC != p.SSRC || first.Sequence+1 != p.Sequence {
		s.probation, s.probing = p, true
		s.Late++
		return
	}
	s.Late--
	s.Restarts++
	s.restart(p)
	s.probation = Packet{}
	emit(Ordered{Packet: first, Gap: true, Restart: true})
	emit(Ordered{Packet: p})
}

// hold keeps p until the packets before it have come.
func (s *Sequencer) hold(p Packet, emit func(Ordered)) {
	i, found := slices.BinarySearchFunc(s.held, p.Sequence, func(h Packet, seq uint16) int {
		return int(int16(h.Sequence - seq))
	})
	if found {
		s.Late++
		return
	}
	if len(s.held) == 0 {
		s.since = p.Arrived
	}
	s.held = slices.Insert(s.held, i, p)
	if len(s.held) > maxHeld {
		s.giveUp(emit)
	}
}

// drain emits what is held and continues the row.
func (s *Sequencer) drain(emit func(Ordered)) {
	if len(s.held) == 0 {
		return
	}
	n := 0
	for n < len(s.held) && s.held[n].Sequence == s.next {
		s.next++
		n++
	}
	if n == 0 {
		return
	}
	ready := s.held[:n]
	s.held = s.held[n:]
	s.newGap()
	for _, p := range ready {
		emit(Ordered{Packet: p})
	}
	clear(ready)
}

// giveUp goes on behind the first gap.
func (s *Sequencer) giveUp(emit func(Ordered)) {
	p := s.held[0]
	s.Lost += int64(uint16(p.Sequence - s.next))
	s.next = p.Sequence + 1
	s.held[0] = Packet{}
	s.held = s.held[1:]
	emit(Ordered{Packet: p, Gap: true})
	s.newGap()
	s.drain(emit)
}

// newGap says since when the gap before held has been there.
func (s *Sequencer) newGap() {
	if len(s.held) == 0 {
		s.held = nil
		return
	}
	s.since = s.held[0].Arrived
	for _, p := range s.held[1:] {
		if p.Arrived.Before(s.since) {
			s.since = p.Arrived
		}
	}
}
