package stream

import (
	"log/slog"
	"time"

	"pushcart/media"
)

// Publisher is the right to write to a show: its host's, or a contributor's (contribute.go). Its methods are
// safe for concurrent use and never wait for a reader.
type Publisher struct {
	s    *Stream
	src  Source
	done chan struct{}
	err  error // why done is closed; guarded by s.mu

	// Of a contributor; tracks are guarded by s.mu.
	Contribution
	base   int           // what is added to its track IDs
	since  time.Time     // when it joined
	tracks []media.Track // those that are in the epoch, with the IDs that readers see
}

// Stream returns the show.
func (p *Publisher) Stream() *Stream { return p.s }

// Done is closed when the publisher has lost its right: by Close, a takeover, a cut or the end of the hub.
func (p *Publisher) Done() <-chan struct{} { return p.done }

// Err returns why Done is closed, nil before that and after Close(nil).
func (p *Publisher) Err() error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.err
}

// active reports whether p may still write. The caller holds the lock.
func (p *Publisher) active() bool {
	if p.Role != "" {
		return p.s.sides[p.Role] == p
	}
	return p.s.publisher == p
}

// Begin starts an epoch with the given tracks, which belong to the stream from here on. A contributor's
// tracks join the epoch that is on, or else the next one, in the place of those that it had before; their IDs
// are 1 to 31. It returns ErrClosed when p has lost its right, and ErrPast when its epoch is over.
func (p *Publisher) Begin(tracks []media.Track) error {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.active() {
		return ErrClosed
	}
	if p.Role != "" {
		return s.join(p, tracks)
	}
	if s.state != Live {
		what := "show resumed"
		if !s.begun {
			what = "show started"
		}
		s.begun = true
		s.setState(Live)
		s.hub.log.Info(what, slog.String("stream", s.name), slog.String("from", p.src.Remote),
			slog.String("by", p.src.Protocol), slog.String("encoder", p.src.Agent), slog.String("tracks", describe(tracks)))
	} else {
		s.hub.log.Info("show has changed its tracks", slog.String("stream", s.name), slog.String("tracks", describe(tracks)))
	}
	s.own = tracks
	s.epochs++
	s.forgetDerived()
	s.gatherTracks()
	s.meter.begin(s.tracks)
	s.append(Event{Kind: EventTracks, Tracks: s.tracks, Epoch: s.epochs})
	return nil
}

// Write appends au, whose track must be one of the epoch's, to the log. DTS does not decrease within a
// track. The stream keeps au.Data: nobody modifies it afterwards. It returns ErrClosed when p has lost
// its right.
func (p *Publisher) Write(au media.AccessUnit) error {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.active() {
		return ErrClosed
	}
	if p.Role != "" {
		s.contributed(p, au)
		return nil
	}
	if at, isMedia := s.meter.unit(au); isMedia {
		s.latest = max(s.latest, at)
		s.shown = max(s.shown, at+s.meter.composition(au))
	}
	if len(s.hooks) > 0 && s.canBegin(au) {
		s.runHooks(au)
	}
	s.append(Event{Kind: EventUnit, Unit: au})
	return nil
}

// Count adds n to the show's counter of a repair, such as "audio frames filled in". Names are few and
// constant.
func (p *Publisher) Count(repair string, n int64) { p.s.Count(repair, n) }

// Remark notes a sentence for the operator and the host. It is logged when it is the first of its kind.
func (p *Publisher) Remark(kind, sentence string) { p.s.Remark(kind, sentence) }

// Count is Publisher.Count for those who only read the show.
func (s *Stream) Count(repair string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meter.repairs[repair] += n
}

// Remark is Publisher.Remark for those who only read the show.
func (s *Stream) Remark(kind, sentence string) {
	s.mu.Lock()
	first := s.meter.kinds[kind] == 0
	s.meter.kinds[kind]++
	s.meter.remark(sentence)
	s.mu.Unlock()
	if first {
		s.hub.log.Warn(sentence, slog.String("stream", s.name))
	}
}

// Close gives the right back. A show that has begun waits for its host for the reconnect window; one that
// has not is over, unless a contributor waits. why is nil if the host said goodbye.
func (p *Publisher) Close(why error) {
	s := p.s
	s.mu.Lock()
	if !p.active() {
		s.mu.Unlock()
		return
	}
	if p.Role != "" {
		s.depart(p, why)
		s.mu.Unlock()
		s.end(why, func() bool { return !s.begun && s.abandoned() })
		return
	}
	wait := s.hub.cfg.ReconnectWindow
	s.leave(p, why, wait)
	if s.begun && wait > 0 {
		// A host who came and went without sending anything has not made the wait longer.
		s.window = time.AfterFunc(time.Until(s.until), func() { s.end(errNotBack, s.abandoned) })
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.end(why, s.abandoned)
}
