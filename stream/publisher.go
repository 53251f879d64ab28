package stream

import (
	"log/slog"
	"time"

	"pushcart/media"
)

// Publisher is the right to write to a show. Its methods are safe for concurrent use and never wait for a
// reader.
type Publisher struct {
	s    *Stream
	src  Source
	done chan struct{}
	err  error // why done is closed; guarded by s.mu
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
func (p *Publisher) active() bool { return p.s.publisher == p }

// Begin starts an epoch with the given tracks, which belong to the stream from here on. It returns
// ErrClosed when p has lost its right.
func (p *Publisher) Begin(tracks []media.Track) error {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !p.active() {
		return ErrClosed
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
	s.meter.begin(tracks)
	s.append(Event{Kind: EventTracks, Tracks: tracks})
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
	if at := s.meter.unit(au); at > s.latest {
		s.latest = at
	}
	s.append(Event{Kind: EventUnit, Unit: au})
	return nil
}

// Count adds n to the show's counter of a repair, such as "audio frames filled in". Names are few and
// constant.
func (p *Publisher) Count(repair string, n int64) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.meter.repairs[repair] += n
}

// Remark notes a sentence for the operator and the host. It is logged when it is the first of its kind.
func (p *Publisher) Remark(kind, sentence string) {
	s := p.s
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
// has not is over. why is nil if the host said goodbye.
func (p *Publisher) Close(why error) {
	s := p.s
	s.mu.Lock()
	if !p.active() {
		s.mu.Unlock()
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
