package packager

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// Errors of Window. Origin maps them to statuses.
var (
	// ErrNotFound: there is no such thing, and there won't be (404).
	ErrNotFound = errors.New("not found")
	// ErrTooFar: the playlist position asked for is too far ahead (400; rfc8216bis 6.2.5.2).
	ErrTooFar = errors.New("too far ahead of the live edge")
)

// Skip is the delta update that a viewer asked for with _HLS_skip.
type Skip uint8

// The delta updates.
const (
	SkipNone       Skip = iota
	SkipSegments        // _HLS_skip=YES
	SkipDateRanges      // _HLS_skip=v2
)

// Object is an initialization segment, a segment or a part. Its bytes never change.
type Object struct {
	ContentType string // "video/mp4" or "audio/mp4"
	// Chunks are the object's bytes in order (a segment is its parts). Nobody modifies them.
	Chunks [][]byte
	// Size is the sum of the chunks' lengths.
	Size int64
}

// Window is the read side of a packager: what viewers can see of a show. Its methods are safe for any
// number of goroutines; those that wait end at once when ctx does, with its error.
type Window struct {
	p     *Packager // for what never changes: show and cfg
	state atomic.Pointer[windowState]
}

// windowState is an immutable snapshot of what is common to all renditions.
type windowState struct {
	renditions   map[string]*rendition // to load their state from, nothing else
	multivariant *Document             // nil until the show can be played
	text         string
	ended        bool
	stats        Stats
	superseded   chan struct{}
}

func newWindow(p *Packager) *Window {
	w := &Window{p: p}
	w.state.Store(&windowState{stats: p.stats, superseded: make(chan struct{})})
	return w
}

// update publishes the state that renditions share, if it has changed.
func (w *Window) update() {
	old := w.state.Load()
	next := windowState{
		renditions:   old.renditions,
		multivariant: old.multivariant,
		text:         old.text,
		ended:        w.p.ended,
		stats:        w.p.stats,
	}
	changed := len(next.renditions) != len(w.p.renditions)
	for _, r := range w.p.renditions {
		changed = changed || next.renditions[r.name] != r
	}
	if changed {
		next.renditions = make(map[string]*rendition, len(w.p.renditions))
		for _, r := range w.p.renditions {
			next.renditions[r.name] = r
		}
	}
	if w.p.redescribe || next.multivariant == nil {
		w.p.updateMultivariant(&next)
	}
	if next.text == old.text && next.ended == old.ended && next.stats == old.stats && !changed {
		return
	}
	next.superseded = make(chan struct{})
	w.state.Store(&next)
	close(old.superseded)
}

// forget tells those who wait for a rendition that nothing is going to come of it.
func (w *Window) forget(r *rendition) {
	if old := r.state.Load(); old != nil {
		r.state.Store(&playlist{gone: true})
		close(old.superseded)
	}
}

// Multivariant waits until the show can be played, or is over, and returns its multivariant playlist. A
// show that ended before it could be played has none: ErrNotFound.
func (w *Window) Multivariant(ctx context.Context) (*Document, error) {
	for {
		s := w.state.Load()
		switch {
		case s.multivariant != nil:
			return s.multivariant, nil
		case s.ended:
			return nil, ErrNotFound
		}
		select {
		case <-s.superseded:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Playlist returns the media playlist of a rendition ("v1", "a1", ...), as soon as it contains the
// position asked for: part part of segment msn, or something later; with a negative part, the whole
// segment msn. With a negative msn it waits only until the playlist has a first part. Once the show has
// ended, it answers at once. "v1-iframes" is the playlist of key pictures of v1; it has no parts, so that any
// part of a segment means all of it. It returns ErrNotFound for a rendition that does not exist and ErrTooFar
// for a position that is out of reach.
func (w *Window) Playlist(ctx context.Context, rendition string, msn int64, part int, skip Skip) (*Document, error) {
	if _, err := w.Multivariant(ctx); err != nil {
		return nil, err
	}
	rendition, keys := strings.CutSuffix(rendition, keysSuffix)
	r := w.state.Load().renditions[rendition]
	if r == nil {
		return nil, ErrNotFound
	}
	if keys {
		part = -1
	}
	for {
		pl := r.state.Load()
		switch {
		case pl == nil, pl.gone, keys && pl.keys == nil: // nil: announced, and gone before it had any media
			return nil, ErrNotFound
		case pl.ended, msn < 0, pl.contains(msn, part):
			if keys {
				return pl.keys, nil
			}
			return &pl.documents[skip], nil
		case pl.tooFar(msn, part):
			return nil, ErrTooFar
		}
		select {
		case <-pl.superseded:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Object returns what a playlist named: path is its URI, relative to the show's directory. The part that
// is hinted at present is waited for; anything else that is not there is ErrNotFound.
func (w *Window) Object(ctx context.Context, path string) (Object, error) {
	rest, ok := strings.CutPrefix(path, w.p.show.Epoch+"/")
	name, file, ok2 := strings.Cut(rest, "/")
	r := w.state.Load().renditions[name]
	if !ok || !ok2 || r == nil {
		return Object{}, ErrNotFound
	}
	for {
		pl := r.state.Load()
		if pl == nil || pl.gone {
			return Object{}, ErrNotFound
		}
		o, found, wait := pl.object(file)
		switch {
		case found:
			return o, nil
		case !wait:
			return Object{}, ErrNotFound
		}
		select {
		case <-pl.superseded:
		case <-ctx.Done():
			return Object{}, ctx.Err()
		}
	}
}

// Ended reports whether the show is over, so that nothing is going to change any more.
func (w *Window) Ended() bool { return w.state.Load().ended }

// Stats returns the packager's counts, as of the newest part.
func (w *Window) Stats() Stats { return w.state.Load().stats }

// NextDSN is the first discontinuity sequence number that the show has not used. A show of the same name that
// follows begins there.
func (w *Window) NextDSN() int64 { return w.p.show.FirstDSN + int64(w.Stats().Discontinuities) + 1 }

// NextMSN is a media sequence number that the show has not used, nor has anything behind it.
func (w *Window) NextMSN() int64 {
	return max(w.p.show.FirstMSN, 1) + minListed + int64(w.Stats().Segments) + 1
}

// TargetDuration is EXT-X-TARGETDURATION.
func (w *Window) TargetDuration() time.Duration { return w.state.Load().stats.TargetDuration }

// PartTarget is PART-TARGET. It never changes.
func (w *Window) PartTarget() time.Duration { return w.p.cfg.Latency.Part }
