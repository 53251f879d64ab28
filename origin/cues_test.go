package origin

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushcart/cue"
)

// board is a Board that a test writes on.
type board struct {
	mu        sync.Mutex
	content   map[string]string // by spelling
	version   uint64
	present   string
	renders   atomic.Int64
	asked     atomic.Int64 // for contents
	events    []cue.Event  // the first has the number forgotten+1
	forgotten uint64
	changed   chan struct{}
}

func newBoard() *board {
	return &board{content: map[string]string{}, version: 1, present: `{"cues":[]}`, changed: make(chan struct{})}
}

func (b *board) Content(id string, rev int, locale string) ([]byte, bool) {
	b.asked.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	text, ok := b.content[spell(cuePath{kindCue, id, rev, locale})]
	return []byte(text), ok
}

func (b *board) Present() (uint64, func() []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.present
	return b.version, func() []byte { b.renders.Add(1); return []byte(text) }
}

func (b *board) Events(after uint64) ([]cue.Event, <-chan struct{}, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if latest := b.forgotten + uint64(len(b.events)); after < b.forgotten || after > latest {
		return nil, b.changed, false
	}
	return b.events[after-b.forgotten:], b.changed, true
}

func (b *board) Latest() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.forgotten + uint64(len(b.events))
}

// state writes the present state.
func (b *board) state(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.present = text
}

// tell adds an event. Only the last keep are remembered, if that is not zero.
func (b *board) tell(keep int, name, data string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, cue.Event{Number: b.forgotten + uint64(len(b.events)) + 1, Name: name, Data: []byte(data)})
	if n := len(b.events) - keep; keep > 0 && n > 0 {
		b.events = b.events[n:]
		b.forgotten += uint64(n)
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// boards is Cues for tests.
type boards map[string]Board

func (b boards) Board(name string) (Board, bool) {
	one, ok := b[name]
	return one, ok
}

// newCueOrigin serves a show called "shop" that is on, and its cues.
func newCueOrigin(cfg Config, b Board) *Server {
	o := New(cfg, stage{"shop": &airing{over: make(chan struct{})}}, nil, quiet)
	o.Cues = boards{"shop": b}
	return o
}

// airing is a Show without media, which knows when it is over.
type airing struct {
	faulty
	over chan struct{}
}

func (a *airing) Done() <-chan struct{} { return a.over }

func (a *airing) Ended() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

func (a *airing) TargetDuration() time.Duration { return 2 * time.Second }

// TestCueHeaders goes through the resources of cues: status, type, caching, validators, and what every response
// must carry.
func TestCueHeaders(t *testing.T) {
	b := newBoard()
	b.content["cues/wig-3/1.json"] = `{"id":"wig-3","rev":1,"products":[{"title":{"en":"Bob wig","fr":"Perruque"}}]}`
	b.content["cues/wig-3/1/fr.json"] = `{"id":"wig-3","rev":1,"locale":"fr","products":[{"title":"Perruque"}]}`
	o := newCueOrigin(Config{}, b)
	const (
		text   = "text/plain; charset=utf-8"
		asJSON = "application/json"
		day    = "public, max-age=86400, immutable"
	)
	for _, c := range []struct {
		path        string
		status      int
		kind, cache string
	}{
		{"/live/shop/cues.json", 200, asJSON, "public, max-age=1"},
		{"/live/shop/cues.json?token=x", 200, asJSON, "public, max-age=1"},
		{"/live/shop/cues/wig-3/1.json", 200, asJSON, day},
		{"/live/shop/cues/wig-3/1/fr.json", 200, asJSON, day},
		{"/live/shop/cues/wig-3/2.json", 404, text, "max-age=1"},
		{"/live/shop/cues/wig-3/01.json", 404, text, "max-age=1"},
		{"/live/shop/cues/wig-4/1.json", 404, text, "max-age=1"},
		{"/live/shop/cues/", 404, text, "max-age=1"},
		{"/live/shop/cues/wig-3/1/" + strings.Repeat("x", maxPathLen) + ".json", 404, text, "max-age=1"},
		{"/live/other/cues.json", 404, text, "max-age=1"},
		{"/live/other/cues/wig-3/1.json", 404, text, "max-age=1"},
		{"/live/other/cues/events", 404, text, "max-age=1"},
		{"/live/a%20b/cues.json", 404, text, "max-age=1"},
	} {
		r := get(o, "GET", c.path)
		h := r.Header
		got := body(t, r)
		if r.StatusCode != c.status || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache || len(got) == 0 {
			t.Errorf("%s: %d %q, %q, %q", c.path, r.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"), got)
		}
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Set-Cookie") != "" ||
			h.Get("Content-Length") != fmt.Sprint(len(got)) {
			t.Errorf("%s: common headers: %v", c.path, h)
		}
		if head := get(o, "HEAD", c.path); head.StatusCode != c.status || body(t, head) != "" || head.Header.Get("Content-Length") != h.Get("Content-Length") {
			t.Errorf("HEAD %s: %s, Content-Length %q", c.path, head.Status, head.Header.Get("Content-Length"))
		}
		if c.status != 200 {
			continue
		}
		packed := get(o, "GET", c.path, "Accept-Encoding", "gzip")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", c.path, err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != got || packed.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: unpacked %q, %v", c.path, unpacked, err)
		}
		for _, accept := range []string{"identity", "gzip"} {
			tag := get(o, "GET", c.path, "Accept-Encoding", accept).Header.Get("Etag")
			again := get(o, "GET", c.path, "Accept-Encoding", accept, "If-None-Match", tag)
			if tag == "" || again.StatusCode != 304 || again.Header.Get("Cache-Control") != c.cache || body(t, again) != "" {
				t.Errorf("%s, %s: tag %s, then %s", c.path, accept, tag, again.Status)
			}
		}
	}
	for _, m := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		if r := get(o, m, "/live/shop/cues.json"); r.StatusCode != 405 {
			t.Errorf("%s: %s: nobody writes here", m, r.Status)
		}
	}
	ask := get(o, "OPTIONS", "/live/shop/cues/events", "Origin", "https://shop.example", "Access-Control-Request-Headers", "last-event-id")
	if ask.StatusCode != 204 || !strings.Contains(ask.Header.Get("Access-Control-Allow-Headers"), "Last-Event-ID") {
		t.Errorf("OPTIONS: %s %v", ask.Status, ask.Header)
	}
	for _, kind := range []string{"cue", "cue_list"} {
		if counted(o, kind, 200) == 0 || counted(o, kind, 404) == 0 {
			t.Errorf("%s: nothing is counted: %+v", kind, o.Stats().Requests)
		}
	}
}

// TestWithoutCues: a server that has no cues says so, and goes on.
func TestWithoutCues(t *testing.T) {
	o := New(Config{}, stage{}, nil, quiet)
	for _, path := range []string{"cues.json", "cues/events", "cues/a/1.json"} {
		if r := get(o, "GET", "/live/shop/"+path); r.StatusCode != 404 {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
}

// TestPresentIsRenderedOnce: a crowd costs one render for each state, and never sees an older one again.
func TestPresentIsRenderedOnce(t *testing.T) {
	b := newBoard()
	o := newCueOrigin(Config{}, b)
	const states, viewers = 50, 8
	for state := range states {
		b.state(fmt.Sprintf(`{"state":%d}`, state))
		var wg sync.WaitGroup
		for i := range viewers {
			wg.Go(func() {
				header := []string{"Accept-Encoding", []string{"gzip", "identity"}[i%2]}
				if r := get(o, "GET", "/live/shop/cues.json", header...); r.StatusCode != 200 || i%2 == 1 && body(t, r) != fmt.Sprintf(`{"state":%d}`, state) {
					t.Errorf("%s", r.Status)
				}
			})
		}
		wg.Wait()
	}
	if n := b.renders.Load(); n != states {
		t.Errorf("%d renders of %d states", n, states)
	}
	tag := get(o, "GET", "/live/shop/cues.json").Header.Get("Etag")
	b.state(`{"state":-1}`)
	if r := get(o, "GET", "/live/shop/cues.json", "If-None-Match", tag); r.StatusCode != 200 || r.Header.Get("Etag") == tag {
		t.Errorf("a new state has the tag of the old one: %s", r.Status)
	}
	if other := newCueOrigin(Config{}, b); get(other, "GET", "/live/shop/cues.json").Header.Get("Etag") == get(o, "GET", "/live/shop/cues.json").Header.Get("Etag") {
		t.Error("another process, whose states are other ones, has the same tags")
	}
}

// TestContentsAreBounded: what a revision says is asked for once, and kept within bounds.
func TestContentsAreBounded(t *testing.T) {
	b := newBoard()
	text := `"` + strings.Repeat("x", 60<<10) + `"`
	const cues = 2 * maxContentBytes / (60 << 10)
	for i := range cues {
		b.content[fmt.Sprintf("cues/c%d/1.json", i)] = text
	}
	o := newCueOrigin(Config{}, b)
	for i := range cues {
		for range 2 {
			if r := get(o, "GET", fmt.Sprintf("/live/shop/cues/c%d/1.json", i)); r.StatusCode != 200 {
				t.Fatal(r.Status)
			}
		}
	}
	if n := b.asked.Load(); n != cues {
		t.Errorf("%d contents were asked for %d times", cues, n)
	}
	sum := 0
	for _, doc := range o.contents.docs {
		sum += len(doc.Text())
	}
	if sum != o.contents.bytes || sum > maxContentBytes || len(o.contents.order) != len(o.contents.docs) {
		t.Errorf("%d bytes are kept, counted as %d; %d documents in order of %d", sum, o.contents.bytes, len(o.contents.docs), len(o.contents.order))
	}
	if r := get(o, "GET", "/live/shop/cues/c0/1.json"); body(t, r) != text {
		t.Error("what was forgotten is not made again")
	}
}

// BenchmarkCueList is cues.json of 10,000 cues: once for each state, and then for each viewer.
func BenchmarkCueList(b *testing.B) {
	board := newBoard()
	var list bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&list, `{"id":"wig-%d","rev":1,"kind":"product","slot":"main","start":%d,"end":%d,"h":"9f3c2a7b61d0e4c8"},`, i, 1763730000123+3000*i, 1763730003123+3000*i)
	}
	board.state(list.String())
	o := newCueOrigin(Config{}, board)
	r, _ := http.NewRequest("GET", "http://x/live/shop/cues.json", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	r.Body = nil
	b.Run("viewer", func(b *testing.B) {
		w := new(discard)
		b.ReportAllocs()
		for b.Loop() {
			clear(w.h)
			o.ServeHTTP(w, r)
		}
	})
	b.Run("change", func(b *testing.B) {
		w := new(discard)
		b.ReportAllocs()
		for b.Loop() {
			board.state(list.String())
			clear(w.h)
			o.ServeHTTP(w, r)
		}
	})
}
