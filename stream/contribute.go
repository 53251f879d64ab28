package stream

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"pushcart/media"
)

// Contribution is what somebody adds to a show beside its publisher: a rung of the ladder on a connection of
// its own, an interpreter's voice, what a transcoder makes of the show.
type Contribution struct {
	// Role is unlike that of the show's other contributors: "720p", "@fr", "ladder". It is empty for the
	// publisher. A role that comes back gets the same track IDs.
	Role string
	// Derived says that it is made from the show itself. Its tracks end with each epoch: Begin has to be
	// called again in the next one.
	Derived bool
	// Epoch is the one that a Derived contribution is made from (Event.Epoch); zero for whichever is on.
	Epoch int
}

const (
	// contributedID is the first track ID that contributors get. Those below are the publisher's, and the
	// house's data tracks.
	contributedID = 2000
	// maxOwnTracks bounds a contributor's track IDs, and how far those of roles are apart.
	maxOwnTracks = 32
	// maxContributors bounds the contributors of a show at a time, and maxRoles the roles that it has seen.
	maxContributors = 32
	maxRoles        = 256
)

// contribute makes a new contributor the one that counts for its role.
func (s *Stream) contribute(c Contribution, src Source) (*Publisher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == Ended {
		return nil, ErrClosed
	}
	old := s.sides[c.Role]
	base, known := s.bases[c.Role]
	switch {
	case c.Role == "":
		return nil, fmt.Errorf("stream: a contribution needs a role")
	case old == nil && len(s.sides) >= maxContributors:
		return nil, ErrCrowded
	case !known && len(s.bases) >= maxRoles:
		return nil, ErrRoles
	case !known:
		base = contributedID + maxOwnTracks*len(s.bases)
		s.bases[c.Role] = base
	}
	p := &Publisher{s: s, src: src, done: make(chan struct{}), Contribution: c, base: base, since: time.Now()}
	if old != nil {
		s.depart(old, ErrTakenOver)
	}
	s.sides[c.Role] = p
	return p, nil
}

// contributors returns those who contribute, in the order in which their roles came. The caller holds the
// lock.
func (s *Stream) contributors() []*Publisher {
	list := make([]*Publisher, 0, len(s.sides))
	for _, p := range s.sides {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Publisher) int { return cmp.Compare(a.base, b.base) })
	return list
}

// gatherTracks makes s.tracks the publisher's and the contributors'. The caller holds the lock.
func (s *Stream) gatherTracks() {
	all := slices.Clone(s.own)
	for _, p := range s.contributors() {
		all = append(all, p.tracks...)
	}
	s.tracks = all
}

// forgetDerived takes the tracks out of the epoch that end with it. The caller holds the lock.
func (s *Stream) forgetDerived() {
	for _, p := range s.sides {
		if p.Derived {
			p.tracks = nil
		}
	}
}

// join puts the tracks of a contributor into the epoch that is on, or the next one. The caller holds the
// lock.
func (s *Stream) join(p *Publisher, tracks []media.Track) error {
	joined := make([]media.Track, len(tracks))
	for i, t := range tracks {
		if t.ID < 1 || t.ID >= maxOwnTracks {
			return fmt.Errorf("stream: a contributor's track %d: IDs are 1 to %d", t.ID, maxOwnTracks-1)
		}
		t.ID += p.base
		t.Contributed = true
		joined[i] = t
	}
	if p.Derived && p.Epoch != 0 && p.Epoch != s.epochs {
		return ErrPast
	}
	if p.Derived && s.state != Live {
		return nil // there is no epoch that it could be of
	}
	var left []media.Track
	for _, t := range p.tracks {
		if !slices.ContainsFunc(joined, func(n media.Track) bool { return n.ID == t.ID }) {
			left = append(left, t)
		}
	}
	p.tracks = joined
	if !s.begun {
		return nil
	}
	s.gatherTracks()
	s.meter.leave(left)
	s.meter.join(joined)
	if s.state != Live {
		return nil
	}
	if len(left) > 0 {
		s.append(Event{Kind: EventLeft, Tracks: left})
	}
	s.append(Event{Kind: EventJoined, Tracks: joined})
	s.hub.log.Info("contributor joined", slog.String("stream", s.name), slog.String("role", p.Role),
		slog.String("from", p.src.Remote), slog.String("by", p.src.Protocol), slog.String("tracks", describe(joined)))
	return nil
}

// contributed appends a contributor's unit, if the show is on and has its track. The caller holds the lock.
func (s *Stream) contributed(p *Publisher, au media.AccessUnit) {
	au.Track += p.base
	if s.state != Live || !slices.ContainsFunc(p.tracks, func(t media.Track) bool { return t.ID == au.Track }) {
		return
	}
	s.meter.unit(au)
	s.append(Event{Kind: EventUnit, Unit: au})
}

// depart ends a contributor. The caller holds the lock.
func (s *Stream) depart(p *Publisher, why error) {
	p.err = why
	close(p.done)
	delete(s.sides, p.Role)
	left := p.tracks
	p.tracks = nil
	if len(left) == 0 || !s.begun {
		return
	}
	s.gatherTracks()
	s.meter.leave(left)
	if s.state != Live {
		return
	}
	s.append(Event{Kind: EventLeft, Tracks: left})
	s.hub.log.Info("contributor left", slog.String("stream", s.name), slog.String("role", p.Role), slog.String("why", reason(why)))
}
