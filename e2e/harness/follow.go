package harness

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Follower watches a show's media playlists from outside: counters may only grow, and it notes when media was
// added.
type Follower struct {
	base string

	mu       sync.Mutex
	rules    []string // what was broken
	advances []time.Time
	last     map[string]edge // by playlist
}

type edge struct{ sequence, discontinuities, segments, parts int }

func (e edge) after(b edge) bool {
	return e.sequence+e.segments > b.sequence+b.segments ||
		e.sequence+e.segments == b.sequence+b.segments && e.parts > b.parts
}

func (f *Follower) run(ctx context.Context) {
	f.last = make(map[string]edge)
	var playlists []string
	for ctx.Err() == nil {
		if len(playlists) == 0 {
			if status, text := get(f.base + "index.m3u8"); status == http.StatusOK {
				playlists = mediaPlaylists(f.base, text)
			}
		}
		for _, p := range playlists {
			if status, text := get(p); status == http.StatusOK {
				f.note(p, readEdge(text))
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (f *Follower) note(playlist string, now edge) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, known := f.last[playlist]
	f.last[playlist] = now
	if !known {
		return
	}
	if now.sequence < before.sequence || now.discontinuities < before.discontinuities || before.after(now) {
		f.rules = append(f.rules, fmt.Sprintf("%s went back: %+v, then %+v", playlist, before, now))
	}
	if now.after(before) {
		f.advances = append(f.advances, time.Now())
	}
}

// Broken lists what went backwards.
func (f *Follower) Broken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.rules...)
}

// FirstAfter returns when media was first added after t, to a tenth of a second; false if it was not.
func (f *Follower) FirstAfter(t time.Time) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.advances {
		if a.After(t) {
			return a, true
		}
	}
	return time.Time{}, false
}

// mediaPlaylists returns the addresses of all media playlists that a multivariant playlist names.
func mediaPlaylists(base, text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#EXT-X-MEDIA:") {
			if _, rest, ok := strings.Cut(line, `URI="`); ok {
				name, _, _ := strings.Cut(rest, `"`)
				names = append(names, name)
			}
		} else if line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	root, err := url.Parse(base)
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range names {
		if u, err := root.Parse(name); err == nil {
			all = append(all, u.String())
		}
	}
	return all
}

func readEdge(text string) edge {
	var e edge
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch tag, value, _ := strings.Cut(line, ":"); tag {
		case "#EXT-X-MEDIA-SEQUENCE":
			e.sequence, _ = strconv.Atoi(value)
		case "#EXT-X-DISCONTINUITY-SEQUENCE":
			e.discontinuities, _ = strconv.Atoi(value)
		case "#EXT-X-PART":
			e.parts++
		case "#EXTINF":
			e.segments++
			e.parts = 0
		}
	}
	return e
}
