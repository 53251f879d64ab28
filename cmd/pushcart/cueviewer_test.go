package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
)

// cueViewer is a player of one rendition: it follows the playlist with blocking delta updates as hls.js does, and
// keeps what it hears of date ranges for as long as the page is open, across restarts of the server.
type cueViewer struct {
	t     testing.TB
	name  string // "v1"
	world *cueWorld

	frames []time.Time // dates of those that it has not shown yet
	list   *m3u8.Media // merged
	marks  map[string]*rangeMark
	heard  int
}

// get asks a handler in this process.
func get200(h http.Handler, ctx context.Context, path string) (int, []byte) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
	return w.Code, w.Body.Bytes()
}

// watch follows the show on one server until ctx ends.
func (v *cueViewer) watch(ctx context.Context, viewers http.Handler) {
	path := "/live/shop/" + v.name + ".m3u8"
	v.list = nil
	for ctx.Err() == nil {
		query := ""
		if v.list != nil {
			msn := v.list.MediaSequence + int64(len(v.list.Segments))
			query = fmt.Sprintf("?_HLS_msn=%d&_HLS_part=%d&_HLS_skip=v2", msn, len(v.list.Open.Parts))
		}
		status, body := get200(viewers, ctx, path+query)
		if status != http.StatusOK || len(body) == 0 {
			if ctx.Err() == nil {
				time.Sleep(50 * time.Millisecond)
			}
			continue
		}
		v.update(ctx, viewers, body)
	}
}

// update takes an answer, and holds what it amounts to against the whole playlist.
func (v *cueViewer) update(ctx context.Context, viewers http.Handler, body []byte) {
	next, err := m3u8.ParseMedia(body)
	if err == nil && v.list != nil {
		next, err = m3u8.Merge(v.list, next)
	}
	if err != nil {
		v.t.Errorf("%s: %v\n%s", v.name, err, body)
		v.list = nil
		return
	}
	v.list = next
	status, text := get200(viewers, context.Background(), "/live/shop/"+v.name+".m3u8")
	if ctx.Err() != nil {
		return // the server has gone
	} else if whole, err := m3u8.ParseMedia(text); status != http.StatusOK || err != nil {
		v.t.Errorf("%s: %d %v", v.name, status, err)
	} else if samePlace(whole, next) {
		if a, b := rangeTags(whole), rangeTags(next); !slices.Equal(a, b) {
			v.t.Errorf("%s: merged, the date ranges are\n%s\nand in the whole playlist\n%s", v.name, strings.Join(b, "\n"), strings.Join(a, "\n"))
		}
	}
	for _, d := range v.list.DateRanges {
		v.hear(viewers, d)
	}
}

// samePlace reports whether two playlists end with the same part.
func samePlace(a, b *m3u8.Media) bool {
	return a.MediaSequence+int64(len(a.Segments)) == b.MediaSequence+int64(len(b.Segments)) && len(a.Open.Parts) == len(b.Open.Parts)
}

// rangeTags says what the tags of each ID amount to.
func rangeTags(m *m3u8.Media) []string {
	said := make(map[string]string)
	for _, d := range m.DateRanges {
		text := fmt.Sprintf("%s %s", d.ID, d.Start.Format(time.RFC3339Nano))
		if d.Duration >= 0 {
			text += " " + d.Duration.String()
		}
		said[d.ID] = max(said[d.ID], text)
	}
	return slices.Sorted(maps.Values(said))
}

// hear takes a date range, which has to agree with all that was ever said of its ID, and to point at what is
// there.
func (v *cueViewer) hear(viewers http.Handler, d m3u8.DateRange) {
	dot := strings.LastIndexByte(d.ID, '.')
	id, rev := d.ID[:dot], 0
	fmt.Sscan(d.ID[dot+1:], &rev)
	attr := make(map[string]string)
	for _, a := range d.Attributes {
		attr[a.Name] = a.Value
	}
	start, end := d.Start.UnixMilli(), int64(never)
	if d.Duration >= 0 {
		end = start + d.Duration.Milliseconds()
	}
	v.world.truth.listed(v.t, viewers, d.ID, start, end, attr)
	m := v.marks[d.ID]
	if m == nil {
		v.heard++
		m = &rangeMark{id: id, rev: rev, slot: attr["X-ORG-PUSHCART-SLOT"], start: start, end: never, heard: v.heard}
		v.marks[d.ID] = m
	}
	m.end = min(m.end, end)
}

// cueTruth is what was ever said of a revision: it is said for ever.
type cueTruth struct {
	mu     sync.Mutex
	ranges map[string][2]int64 // by ID: start and end
	docs   map[string][]byte   // by path
}

// listed holds a date range against what was said before, and looks whether its content is there.
func (c *cueTruth) listed(t testing.TB, viewers http.Handler, id string, start, end int64, attr map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, ok := c.ranges[id]
	switch {
	case !ok:
		old = [2]int64{start, end}
	case old[0] != start:
		t.Errorf("%s has start %d, and had %d", id, start, old[0])
	case old[1] == never:
		old[1] = end
	case end != never && end != old[1]:
		t.Errorf("%s has end %d, and had %d", id, end, old[1])
	}
	c.ranges[id] = old
	dot := strings.LastIndexByte(id, '.')
	doc := c.document(t, viewers, "/live/shop/cues/"+id[:dot]+"/"+id[dot+1:]+".json")
	sum := sha256.Sum256(doc)
	if got := hex.EncodeToString(sum[:8]); got != attr["X-ORG-PUSHCART-H"] {
		t.Errorf("%s: the hash is %s, the playlist says %s", id, got, attr["X-ORG-PUSHCART-H"])
	}
}

// document fetches what is said to be there, and for ever the same. The caller holds the lock.
func (c *cueTruth) document(t testing.TB, viewers http.Handler, path string) []byte {
	status, body := get200(viewers, context.Background(), path)
	if status != http.StatusOK {
		t.Errorf("%s: %d %s", path, status, body)
		return nil
	}
	if old, ok := c.docs[path]; ok && string(old) != string(body) {
		t.Errorf("%s was\n%s\nand is\n%s", path, old, body)
	}
	c.docs[path] = body
	return body
}

// cueMessage is what an event in band says.
type cueMessage struct {
	Op   string  `json:"op"`
	ID   string  `json:"id"`
	Rev  int     `json:"rev"`
	At   int64   `json:"at"`
	N    int     `json:"n"`
	Of   int     `json:"of"`
	Cues [][]any `json:"cues"`

	Start int64  `json:"start"`
	End   *int64 `json:"end"`
	Hash  string `json:"h"`

	pts   float64 // seconds
	bytes string
}

// readEvents returns what a part says in band.
func readEvents(t testing.TB, data []byte) (list []cueMessage, f *fmp4.Parsed) {
	f, err := fmp4.ReadFragment(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Events {
		if e.PresentationTime < f.BaseTime || e.PresentationTime >= f.End() {
			t.Errorf("an event at %d is in a part from %d to %d", e.PresentationTime, f.BaseTime, f.End())
		}
		_, text, err := fmp4.ReadID3TXXX(e.Data)
		m := cueMessage{pts: float64(e.PresentationTime) / float64(e.Timescale), bytes: fmt.Sprintf("%d %d %d %s", e.ID, e.PresentationTime, e.Duration, text)}
		if err == nil {
			err = json.Unmarshal([]byte(text), &m)
		}
		if err != nil {
			t.Errorf("%q: %v", e.Data, err)
			continue
		}
		list = append(list, m)
	}
	return list, f
}
