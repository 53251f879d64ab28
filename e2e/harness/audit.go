package harness

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
)

// Audit reads all video renditions of a show at their edges, as a player of each would: playlists by blocking reload,
// every segment once.
type Audit struct {
	base string

	mu         sync.Mutex // guards what follows
	renditions map[int]*Rendition
	errs       []string
}

// Rendition is what has been read of one, so far.
type Rendition struct {
	Height   int
	Segments map[int64]Piece        // whole ones, by sequence number
	Parts    map[PartName]time.Time // when each was first in the playlist
	Misses   map[int64]string       // segments that could not be read, and why
}

// Piece is a segment: where it begins and ends, in ticks, and how many pictures it has. A gap has none.
type Piece struct {
	Begin, End uint64
	Pictures   int
	Gap        bool
}

// PartName is a part's place.
type PartName struct {
	Sequence int64
	Part     int
}

// Audit starts to read a show. It goes on until the test ends.
func (s *Server) Audit(t testing.TB, name string) *Audit {
	a := &Audit{base: "http://" + s.Origin + "/live/" + name + "/", renditions: make(map[int]*Rendition)}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			for _, v := range a.variants() {
				if r := a.add(v.Height); r != nil {
					work.Go(func() { a.follow(ctx, r, a.base+v.URI) })
				}
			}
			sleep(ctx, 500*time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
	return a
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (a *Audit) variants() []m3u8.Variant {
	status, text := get(a.base + "index.m3u8")
	if status != http.StatusOK {
		return nil
	}
	index, err := m3u8.ParseMultivariant([]byte(text))
	if err != nil {
		a.note("index.m3u8: %v", err)
		return nil
	}
	return index.Variants
}

// add returns a new rendition, nil if there is one of that height already.
func (a *Audit) add(height int) *Rendition {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.renditions[height] != nil {
		return nil
	}
	r := &Rendition{Height: height, Segments: make(map[int64]Piece), Parts: make(map[PartName]time.Time), Misses: make(map[int64]string)}
	a.renditions[height] = r
	return r
}

func (a *Audit) note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.errs) < 20 {
		a.errs = append(a.errs, fmt.Sprintf(format, args...))
	}
}

// follow reads one rendition until ctx is done.
func (a *Audit) follow(ctx context.Context, r *Rendition, playlist string) {
	query := ""
	for ctx.Err() == nil {
		status, text := get(playlist + query)
		arrived := time.Now()
		query = ""
		if status != http.StatusOK {
			sleep(ctx, 100*time.Millisecond)
			continue
		}
		m, err := m3u8.ParseMedia([]byte(text))
		if err != nil {
			a.note("%s: %v", playlist, err)
			return
		}
		fresh := a.noteParts(r, m, arrived)
		for i, s := range m.Segments {
			a.read(r, m.MediaSequence+int64(i), s)
		}
		if next := m.MediaSequence + int64(len(m.Segments)); fresh {
			query = fmt.Sprintf("?_HLS_msn=%d&_HLS_part=%d", next, len(m.Open.Parts))
		} else {
			sleep(ctx, 20*time.Millisecond) // a rendition that has left
		}
	}
}

// noteParts notes when parts are first listed. It reports whether there were any that had not been.
func (a *Audit) noteParts(r *Rendition, m *m3u8.Media, arrived time.Time) (fresh bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	note := func(sequence int64, parts []m3u8.Part) {
		for i, p := range parts {
			name := PartName{sequence, i}
			if _, known := r.Parts[name]; !known && !p.Gap {
				r.Parts[name], fresh = arrived, true
			}
		}
	}
	for i, s := range m.Segments {
		note(m.MediaSequence+int64(i), s.Parts)
	}
	note(m.MediaSequence+int64(len(m.Segments)), m.Open.Parts)
	return fresh
}

// read fetches a segment that has not been read.
func (a *Audit) read(r *Rendition, sequence int64, s m3u8.Segment) {
	a.mu.Lock()
	_, known := r.Segments[sequence]
	a.mu.Unlock()
	if known {
		return
	}
	piece := Piece{Gap: s.Gap}
	if !s.Gap {
		status, body := get(a.base + s.URI)
		parsed, err := fmp4.ReadFragment([]byte(body))
		if status != http.StatusOK || err != nil {
			a.mu.Lock()
			r.Misses[sequence] = fmt.Sprintf("status %d, %v", status, err)
			a.mu.Unlock()
			return // it is asked for again
		}
		piece = Piece{Begin: parsed.BaseTime, End: parsed.End(), Pictures: len(parsed.Samples)}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r.Segments[sequence] = piece
	delete(r.Misses, sequence)
}

// Renditions returns copies of what has been read so far, the tallest first.
func (a *Audit) Renditions() []Rendition {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Rendition
	for _, r := range a.renditions {
		all = append(all, Rendition{r.Height, maps.Clone(r.Segments), maps.Clone(r.Parts), maps.Clone(r.Misses)})
	}
	slices.SortFunc(all, func(x, y Rendition) int { return y.Height - x.Height })
	return all
}

// Whole returns what is missing in a rendition from its first piece of media on: segments that are gaps or could not be
// read, that do not begin where the one before ends, or that have not all pictures. rate is that of the pictures, zero
// if they are not to be counted, timescale that of the ticks.
func (r Rendition) Whole(timescale, rate uint64) (faults []string) {
	var before *Piece
	next := int64(0)
	for _, sequence := range slices.Sorted(maps.Keys(r.Segments)) {
		p := r.Segments[sequence]
		switch {
		case before == nil && p.Gap:
			continue // of before the show
		case p.Gap:
			faults = append(faults, fmt.Sprintf("segment %d is a gap", sequence))
		case before == nil:
		case sequence != next:
			faults = append(faults, fmt.Sprintf("segments %d to %d were not read", next, sequence-1))
		case p.Begin != before.End && !before.Gap:
			faults = append(faults, fmt.Sprintf("segment %d begins at %d, and the one before ends at %d", sequence, p.Begin, before.End))
		}
		if want := ((p.End-p.Begin)*rate + timescale/2) / timescale; rate > 0 && !p.Gap && uint64(p.Pictures) != want {
			faults = append(faults, fmt.Sprintf("segment %d has %d pictures, want %d", sequence, p.Pictures, want))
		}
		before, next = &p, sequence+1
	}
	for sequence, why := range r.Misses {
		faults = append(faults, fmt.Sprintf("segment %d could not be read: %s", sequence, why))
	}
	return faults
}

// Same compares a rendition's segments with another's. It returns for how long, in ticks, both had media, how many
// segments that were, and what was not the same to the tick.
func (r Rendition) Same(other Rendition) (ticks uint64, segments int, faults []string) {
	for sequence, p := range r.Segments {
		q, known := other.Segments[sequence]
		if !known || p.Gap || q.Gap {
			continue
		}
		segments++
		ticks += p.End - p.Begin
		if p.Begin != q.Begin || p.End != q.End {
			faults = append(faults, fmt.Sprintf("segment %d: %dp from %d to %d, %dp from %d to %d", sequence, r.Height, p.Begin, p.End, other.Height, q.Begin, q.End))
		}
	}
	return ticks, segments, faults
}

// Behind returns how much later than in another rendition each part was in this one's playlist, in seconds. What was
// there in the first second of reading, or when a rendition joined, does not count.
func (r Rendition) Behind(other Rendition) (late []float64) {
	begun := time.Now()
	for name, at := range r.Parts {
		if _, both := other.Parts[name]; both && at.Before(begun) {
			begun = at
		}
	}
	for name, at := range r.Parts {
		if was, both := other.Parts[name]; both && was.After(begun.Add(time.Second)) {
			late = append(late, at.Sub(was).Seconds())
		}
	}
	return late
}

// Errors lists playlists that could not be read.
func (a *Audit) Errors() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.errs, "; ")
}
