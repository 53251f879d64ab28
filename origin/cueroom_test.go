package origin

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pushcart/cue"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// cueRoom is the real room of cues behind the counter, with a show called shop on a real hub.
type cueRoom struct {
	book *cue.Book
	hub  *stream.Hub
	host *stream.Publisher
}

// Board implements Cues.
func (r *cueRoom) Board(name string) (Board, bool) {
	t, ok := r.book.Find(name)
	if !ok {
		return nil, false
	}
	return t, true
}

func newCueRoom(t testing.TB) (*cueRoom, *Server, *cue.Timeline) {
	t.Helper()
	r := &cueRoom{book: cue.NewBook(cue.Config{Dir: t.TempDir()}, time.Second, quiet)}
	r.book.Open()
	r.hub = stream.NewHub(stream.Config{}, quiet, r.book.Begin)
	t.Cleanup(func() {
		r.hub.Close()
		r.book.Close()
	})
	host, err := r.hub.Publish("shop", stream.Source{Protocol: "test", Remote: "here"})
	if err != nil {
		t.Fatal(err)
	}
	r.host = host
	video := mediatest.Video{Start: 90_000}
	if err := host.Begin([]media.Track{video.Track(), cue.Track}); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if err := host.Write(video.Unit(i)); err != nil {
			t.Fatal(err)
		}
	}
	timeline, err := r.book.Timeline("shop")
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return timeline.List().Show != nil })
	o := New(Config{}, stage{}, nil, quiet)
	o.Cues = r
	return r, o, timeline
}

// TestContentComesFirst: when a producer has the answer, viewers can have the content; what is not announced yet is
// nobody's business.
func TestContentComesFirst(t *testing.T) {
	_, o, timeline := newCueRoom(t)
	ctx := t.Context()
	reply, err := timeline.Create(ctx, []byte(`{"id":"wig-1","at":"+1s","products":[{"id":"sku-1","title":{"en":"Bob wig","fr":"Perruque"}}],"ours":{"kept":true}}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := timeline.Create(ctx, []byte(`{"id":"secret","at":"+1h","kind":"hide"}`), ""); err != nil {
		t.Fatal(err)
	}
	all := body(t, get(o, "GET", "/live/shop/cues/wig-1/1.json"))
	if !strings.Contains(all, `"fr":"Perruque"`) || !strings.Contains(all, `"ours":{"kept":true}`) {
		t.Errorf("in all locales: %s", all)
	}
	for locale, want := range map[string]string{"fr-CA": `"title":"Perruque"`, "en": `"title":"Bob wig"`, "pt-BR": `"title":"Bob wig"`} {
		if text := body(t, get(o, "GET", "/live/shop/cues/wig-1/1/"+locale+".json")); !strings.Contains(text, want) || !strings.Contains(text, `"locale":"`+locale+`"`) {
			t.Errorf("%s: %s", locale, text)
		}
	}
	for _, path := range []string{"cues/wig-1/2.json", "cues/secret/1.json", "cues/wig-1/1/123.json"} {
		if r := get(o, "GET", "/live/shop/"+path); r.StatusCode != 404 {
			t.Errorf("%s: %s %s", path, r.Status, body(t, r))
		}
	}
	var list struct {
		Cues []cue.Entry
	}
	if err := json.Unmarshal([]byte(body(t, get(o, "GET", "/live/shop/cues.json"))), &list); err != nil || len(list.Cues) != 1 ||
		list.Cues[0].Hash != reply.Hash || list.Cues[0].Start != reply.Start.Date.UnixMilli() {
		t.Errorf("%+v, %v; the producer was told %+v", list, err, reply.Start)
	}
	tag := get(o, "GET", "/live/shop/cues.json").Header.Get("Etag")
	if _, err := timeline.SetFact(ctx, "sku-1", []byte(`{"stock":3}`), ""); err != nil {
		t.Fatal(err)
	}
	if r := get(o, "GET", "/live/shop/cues.json", "If-None-Match", tag); r.StatusCode != 200 || !strings.Contains(body(t, r), `"stock":3`) {
		t.Errorf("a fact is not in the list: %s", r.Status)
	}
}

// TestProducersAndViewers: while cues come and facts change, every viewer sees states in order and every event
// once; with -race, it is a test of all that they share.
func TestProducersAndViewers(t *testing.T) {
	_, o, timeline := newCueRoom(t)
	o.shows = stage{"shop": &airing{over: make(chan struct{})}}
	addr, _ := run(t, o, nil)
	const viewers, facts, cues = 8, 40, 20
	var wg sync.WaitGroup
	ready := make(chan struct{}, viewers)
	for range viewers {
		wg.Go(func() {
			v, err := hear("http://" + addr + "/live/shop/cues/events")
			if err != nil {
				t.Error(err)
				ready <- struct{}{}
				return
			}
			defer v.close()
			v.next() // sync
			ready <- struct{}{}
			stock, seen := 0, 0
			for stock < facts || seen < cues {
				name, data, err := v.next()
				switch {
				case err != nil:
					t.Errorf("after %d facts and %d cues: %v", stock, seen, err)
					return
				case name == "facts":
					stock++
					if want := fmt.Sprintf(`"stock":%d`, stock); !strings.Contains(data, want) {
						t.Errorf("%s instead of %s", data, want)
						return
					}
				case strings.Contains(data, fmt.Sprintf(`"id":"c%d","rev":1`, seen)):
					seen++
				}
			}
		})
	}
	for range viewers {
		<-ready
	}
	var producers sync.WaitGroup
	producers.Go(func() {
		for i := range facts {
			if _, err := timeline.SetFact(t.Context(), "sku-1", fmt.Appendf(nil, `{"stock":%d}`, i+1), ""); err != nil {
				t.Error(err)
			}
		}
	})
	producers.Go(func() {
		for i := range cues {
			if _, err := timeline.Create(t.Context(), fmt.Appendf(nil, `{"id":"c%d","kind":"hide"}`, i), ""); err != nil {
				t.Error(err)
			}
			if r := get(o, "GET", fmt.Sprintf("/live/shop/cues/c%d/1.json", i)); r.StatusCode != 200 {
				t.Errorf("c%d: %s", i, r.Status)
			}
			if list := body(t, get(o, "GET", "/live/shop/cues.json")); !strings.Contains(list, fmt.Sprintf(`"id":"c%d"`, i)) {
				t.Errorf("c%d is not listed", i)
			}
		}
	})
	producers.Wait()
	wg.Wait()
}

// hearing is a connection that listens.
type hearing struct {
	body  io.Closer
	lines *bufio.Scanner
}

func hear(url string) (*hearing, error) {
	r, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	return &hearing{r.Body, bufio.NewScanner(r.Body)}, nil
}

// next returns the next event.
func (h *hearing) next() (name, data string, err error) {
	for h.lines.Scan() {
		field, value, _ := strings.Cut(h.lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			return name, value, nil
		}
	}
	return "", "", fmt.Errorf("nothing more: %w", cmp.Or(h.lines.Err(), io.EOF))
}

func (h *hearing) close() { h.body.Close() }
