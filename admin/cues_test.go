package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/cue"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// studio is a server with real cues on a real hub, and a host who can be on.
type studio struct {
	t     testing.TB
	admin *Server
	h     http.Handler
	book  *cue.Book
	hub   *stream.Hub

	video mediatest.Video
	host  *stream.Publisher
	n     int // units sent
}

func newStudio(t testing.TB) *studio {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s := &studio{t: t, admin: newServer(&shelf{})}
	s.book = cue.NewBook(cue.Config{Dir: t.TempDir()}, time.Second, quiet)
	s.book.Open()
	s.hub = stream.NewHub(stream.Config{}, quiet, s.book.Begin)
	t.Cleanup(func() {
		s.hub.Close()
		s.book.Close()
	})
	s.admin.Cues = s.book
	s.h = s.admin.Handler()
	return s
}

// goOn has a host begin the show called shop.
func (s *studio) goOn() {
	s.t.Helper()
	var err error
	if s.host, err = s.hub.Publish("shop", stream.Source{Protocol: "test", Remote: "here"}); err != nil {
		s.t.Fatal(err)
	}
	s.video.Start = 90_000
	if err := s.host.Begin([]media.Track{s.video.Track(), cue.Track}); err != nil {
		s.t.Fatal(err)
	}
	s.send(30)
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Millisecond) { // cues hear of it a moment later
		if s.must(200, "GET", "cues", "")["show"] != nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatal("the show's cues have not heard of it")
		}
	}
}

// send sends n pictures, of which the first ever and each sixtieth is a keyframe.
func (s *studio) send(n int) {
	s.t.Helper()
	for range n {
		if err := s.host.Write(s.video.Unit(s.n)); err != nil {
			s.t.Fatal(err)
		}
		s.n++
	}
}

// ask sends a request for what is below /v1/streams/live/shop/. header is name, value, ...; with a body and
// without a type among them, it is JSON.
func (s *studio) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081/v1/streams/live/shop/"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header[header[i]] = []string{header[i+1]}; header[i+1] == "" {
			delete(r.Header, header[i])
		}
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// must is ask for what has to be answered with status, and returns the answer.
func (s *studio) must(status int, method, path, body string, header ...string) (answer map[string]any) {
	s.t.Helper()
	w := s.ask(method, path, body, header...)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatalf("%s %s: %d, %v in %s", method, path, w.Code, err, w.Body)
	}
	if w.Code != status {
		s.t.Fatalf("%s %s: %d, not %d: %s", method, path, w.Code, status, w.Body)
	}
	return answer
}

const wig = `{"id":"wig-1","products":[{"id":"sku-1","title":{"en":"Bob wig","fr":"Perruque"},"prices":{"EUR":{"amount":3799}}}]}`

// TestCueStatuses goes through what can be asked, and how it is answered.
func TestCueStatuses(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	big := fmt.Sprintf(`{"id":"big","kind":"x","data":{"text":%q}}`, strings.Repeat("x", maxBodyBytes))
	for _, c := range []struct {
		what               string
		method, path, body string
		header             []string
		status             int
		want               string // in the answer
	}{
		{what: "a cue", method: "POST", path: "cues", body: wig, status: 201, want: `"durable": true`},
		{what: "the same again", method: "POST", path: "cues", body: wig, status: 200, want: `"rev": 1`},
		{what: "another under its id", method: "POST", path: "cues", body: `{"id":"wig-1","kind":"hide"}`, status: 409, want: "wig-1"},
		{what: "one without an id", method: "POST", path: "cues", body: `{"kind":"hide","slot":"side"}`, status: 201, want: `"id": "`},
		{what: "one to come", method: "POST", path: "cues", body: `{"id":"soon","kind":"hide","at":"+1m","slot":"side"}`, status: 201, want: `"state": "pending"`},
		{what: "one by date", method: "POST", path: "cues", body: `{"id":"dated","kind":"hide","slot":"side","at":"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`, status: 201, want: `"media"`},
		{what: "no Content-Type", method: "POST", path: "cues", body: `{"id":"bare","kind":"hide","slot":"c"}`, header: []string{"Content-Type", ""}, status: 201},
		{what: "with a charset", method: "POST", path: "cues", body: `{"id":"charset","kind":"hide","slot":"c"}`, header: []string{"Content-Type", "application/json; charset=utf-8"}, status: 201},

		{what: "a form", method: "POST", path: "cues", body: wig, header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, want: "--json"},
		{what: "a broken type", method: "POST", path: "cues", body: wig, header: []string{"Content-Type", ";;"}, status: 415},
		{what: "YAML for a cue", method: "POST", path: "cues", body: "kind: hide", header: []string{"Content-Type", "application/yaml"}, status: 415},
		{what: "nothing", method: "POST", path: "cues", status: 422},
		{what: "no JSON", method: "POST", path: "cues", body: `{"id":`, status: 422},
		{what: "no object", method: "POST", path: "cues", body: `[]`, status: 422},
		{what: "no kind", method: "POST", path: "cues", body: `{"id":"x"}`, status: 422, want: "kind"},
		{what: "a broken time", method: "POST", path: "cues", body: `{"kind":"hide","at":"tomorrow"}`, status: 422, want: "tomorrow"},
		{what: "a broken id", method: "POST", path: "cues", body: `{"kind":"hide","id":"a b"}`, status: 422},
		{what: "an id that no path can have", method: "POST", path: "cues", body: `{"kind":"hide","id":".."}`, status: 422},
		{what: "too large", method: "POST", path: "cues", body: big, status: 413, want: "64 KiB"},
		{what: "too large by a little", method: "POST", path: "cues", body: big[:len(big)-16] + `"}}`, status: 413},
		{what: "no key", method: "POST", path: "cues", body: wig, header: []string{"Idempotency-Key", `""`}, status: 400, want: "Idempotency-Key"},
		{what: "a long key", method: "POST", path: "cues", body: wig, header: []string{"Idempotency-Key", strings.Repeat("k", 256)}, status: 400},
		{what: "a strange key", method: "POST", path: "cues", body: wig, header: []string{"Idempotency-Key", "k\u00e4y"}, status: 400},

		{what: "one cue", method: "GET", path: "cues/wig-1", status: 200, want: `"Bob wig"`},
		{what: "one that is not there", method: "GET", path: "cues/none", status: 404, want: "none"},
		{what: "the list", method: "GET", path: "cues", status: 200, want: `"id": "wig-1"`},
		{what: "the list's size", method: "HEAD", path: "cues", status: 200},
		{what: "a revision", method: "PATCH", path: "cues/wig-1", body: `{"products":{"sku-1":{"stock":3}}}`, status: 200, want: `"rev": 2`},
		{what: "a merge patch", method: "PATCH", path: "cues/wig-1", body: `{"products":{"sku-1":{"stock":2}}}`, header: []string{"Content-Type", "application/merge-patch+json"}, status: 200, want: `"rev": 3`},
		{what: "a revision of nothing", method: "PATCH", path: "cues/none", body: `{}`, status: 404},
		{what: "a broken revision", method: "PATCH", path: "cues/wig-1", body: `{"products":7}`, status: 422},
		{what: "undo", method: "DELETE", path: "cues/soon", status: 200, want: `"withdrawn"`},
		{what: "undo of nothing", method: "DELETE", path: "cues/none", status: 404},

		{what: "no run of show", method: "GET", path: "rundown", status: 200, want: `"items": []`},
		{what: "a step without one", method: "POST", path: "rundown/next", status: 404, want: "load"},
		{what: "a run of show", method: "PUT", path: "rundown", body: "title: Evening\nitems:\n  - id: first\n    kind: hide\n    slot: run\n  - id: second\n    kind: hide\n    slot: run\n",
			header: []string{"Content-Type", "application/yaml"}, status: 200, want: `"length": 2`},
		{what: "a run of show by curl -T", method: "PUT", path: "rundown", body: "items: [{id: first, kind: hide, slot: run}, {id: second, kind: hide, slot: run}]", header: []string{"Content-Type", ""}, status: 200},
		{what: "a run of show as JSON", method: "PUT", path: "rundown", body: `{"items":[{"id":"first","kind":"hide","slot":"run"},{"id":"second","kind":"hide","slot":"run"}]}`, status: 200, want: `"position": 0`},
		{what: "a broken run of show", method: "PUT", path: "rundown", body: "items: [", header: []string{"Content-Type", "application/yaml"}, status: 422},
		{what: "a run of show as text", method: "PUT", path: "rundown", body: "items: []", header: []string{"Content-Type", "text/plain"}, status: 415},
		{what: "a run of show that is too large", method: "PUT", path: "rundown", body: strings.Repeat(" ", cue.MaxLoadBytes+1), status: 413, want: "16384 KiB"},
		{what: "previous before the first", method: "POST", path: "rundown/previous", status: 409},
		{what: "next", method: "POST", path: "rundown/next", status: 200, want: `"position": 1`},
		{what: "next, with a time", method: "POST", path: "rundown/next", body: `{"at":"+1s"}`, status: 200, want: `"position": 2`},
		{what: "next behind the last", method: "POST", path: "rundown/next", status: 409},
		{what: "undo of a step", method: "POST", path: "rundown/undo", status: 200, want: `"position": 1`},
		{what: "a step at a broken time", method: "POST", path: "rundown/next", body: `{"at":"never"}`, status: 422},
		{what: "unload", method: "DELETE", path: "rundown", status: 200, want: `"length": 0`},

		{what: "a fact", method: "PUT", path: "products/sku-1", body: `{"stock":1}`, status: 200, want: `"stock": 1`},
		{what: "a fact of a product with a slash", method: "PUT", path: "products/shoes%2F42", body: `{"stock":1}`, status: 200, want: `"shoes/42"`},
		{what: "a broken fact", method: "PUT", path: "products/sku-1", body: `{"stock":"many"}`, status: 422},
		{what: "a fact of nothing", method: "PUT", path: "products/", body: `{"stock":1}`, status: 404},
		{what: "a delay", method: "PUT", path: "delay", body: `{"delay":"1.5s"}`, status: 200, want: `"delay": 1.5`},
		{what: "the delay", method: "GET", path: "delay", status: 200, want: `"set": true`},
		{what: "a broken delay", method: "PUT", path: "delay", body: `{"delay":"long"}`, status: 422},
		{what: "no delay", method: "PUT", path: "delay", body: `{"delay":null}`, status: 200, want: `"set": false`},

		{what: "PUT of the list", method: "PUT", path: "cues", status: 405, want: "use GET, POST, HEAD"},
		{what: "POST to a cue", method: "POST", path: "cues/wig-1", status: 405, want: "use DELETE, GET, PATCH, HEAD"},
		{what: "GET of a step", method: "GET", path: "rundown/next", status: 405, want: "use POST"},
		{what: "POST of a run of show", method: "POST", path: "rundown", status: 405},
		{what: "GET of a fact", method: "GET", path: "products/sku-1", status: 405, want: "use PUT"},
		{what: "another path", method: "GET", path: "cues/a/b", status: 404},
	} {
		w := s.ask(c.method, c.path, c.body, c.header...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %s %s: got %d %s", c.what, c.method, c.path, w.Code, w.Body)
			continue
		}
		if ct := w.Header().Get("Content-Type"); ct != "application/json" {
			t.Errorf("%s: Content-Type %q", c.what, ct)
		}
		var told struct{ Error string }
		if c.method != "HEAD" {
			if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if (told.Error != "") != (c.status >= 400) || strings.Contains(told.Error, "\n") {
			t.Errorf("%s: %d says %q", c.what, w.Code, told.Error)
		}
		if c.status == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s: no Allow", c.what)
		}
	}
	w := s.ask("POST", "cues", `{"id":"located","kind":"hide","slot":"l"}`)
	if to := w.Header().Get("Location"); to != "/v1/streams/live/shop/cues/located" {
		t.Errorf("Location %q", to)
	}
}

// TestReplySaysWhen: the reply names the frame in media time and as a program date-time, and both are the same.
func TestReplySaysWhen(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	show, _ := s.hub.Stream("shop")
	reply := s.must(201, "POST", "cues", `{"kind":"hide","at":{"media":7.5},"duration":"2s"}`)
	for name, want := range map[string]float64{"start": 7.5, "end": 9.5} {
		at, _ := reply[name].(map[string]any)
		date, err := time.Parse(time.RFC3339, fmt.Sprint(at["date"]))
		if err != nil || at["media"] != want || date.Sub(show.Start()).Truncate(time.Millisecond) > time.Duration(want*1e9) || show.Start().Add(time.Duration(want*1e9)).Sub(date) >= time.Millisecond {
			t.Errorf("%s: %v, in a show that began at %v", name, at, show.Start())
		}
	}
}

// TestBeforeTheShow: cues for a time of day and the run of show can be there before there is a show.
func TestBeforeTheShow(t *testing.T) {
	s := newStudio(t)
	s.must(200, "PUT", "rundown", `{"items":[{"id":"first","kind":"hide"}]}`)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	reply := s.must(201, "POST", "cues", `{"id":"eight","kind":"hide","at":"`+at.Format(time.RFC3339)+`"}`)
	if start, _ := reply["start"].(map[string]any); reply["state"] != "pending" || start["date"] != at.Format(time.RFC3339) || start["media"] != nil {
		t.Errorf("before the show: %v", reply)
	}
	s.goOn()
	reply = s.must(200, "GET", "cues/eight", "")
	if start, _ := reply["start"].(map[string]any); start["media"] == nil {
		t.Errorf("in the show: %v", reply)
	}
	if r := s.must(200, "POST", "rundown/next", ""); r["position"] != 1.0 {
		t.Errorf("next: %v", r)
	}
}

// TestIdempotencyKey: the same request with the same key is done once and answered alike; another one with that key
// is a mistake of the caller's.
func TestIdempotencyKey(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	const body = `{"kind":"hide","slot":"k"}`
	first := s.must(201, "POST", "cues", body, "Idempotency-Key", "abc")
	again := s.must(200, "POST", "cues", body, "Idempotency-Key", `"abc"`)
	if first["id"] != again["id"] || first["id"] == "" {
		t.Errorf("%v became %v", first["id"], again["id"])
	}
	if other := s.must(201, "POST", "cues", body, "Idempotency-Key", "abd"); other["id"] == first["id"] {
		t.Error("another key, and the same cue")
	}
	if w := s.ask("POST", "cues", `{"kind":"hide","slot":"other"}`, "Idempotency-Key", "abc"); w.Code != 409 && w.Code != 422 {
		t.Errorf("another request with the same key: %d %s", w.Code, w.Body)
	}
	s.must(200, "PUT", "rundown", `{"items":[{"id":"r1","kind":"hide"},{"id":"r2","kind":"hide"},{"id":"r3","kind":"hide"}]}`)
	for _, key := range []string{"1", "1", "1", "2", "2"} {
		s.must(200, "POST", "rundown/next", "", "Idempotency-Key", "next-"+key)
	}
	if r := s.must(200, "GET", "rundown", ""); r["position"] != 2.0 {
		t.Errorf("two keys have made %v steps", r["position"])
	}
}

// TestKeyframe: a cue for the next keyframe is answered when there is one, and starts with it.
func TestKeyframe(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	got := make(chan *httptest.ResponseRecorder)
	go func() { got <- s.ask("POST", "cues", `{"id":"key","kind":"hide","at":"keyframe"}`) }()
	var w *httptest.ResponseRecorder
	for w == nil { // the keyframe may come before the request
		select {
		case w = <-got:
		case <-time.After(5 * time.Millisecond):
			s.send(20)
		}
	}
	var reply struct {
		Start struct{ Media float64 }
		Waits string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || w.Code != 201 || reply.Waits != "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if picture := (reply.Start.Media - 1) * 30; picture < 30 || int(picture)%60 != 0 {
		t.Errorf("starts at %v, with picture %v: every 60th is a keyframe", reply.Start.Media, picture)
	}
}

// TestNoKeyframe: when none comes for a while the answer says so, and the cue goes on waiting.
func TestNoKeyframe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.goOn()
		if reply := s.must(202, "POST", "cues", `{"id":"key","kind":"hide","at":"keyframe"}`); reply["state"] != "pending" || reply["waits"] != "keyframe" || reply["start"] != nil {
			t.Errorf("%v", reply)
		}
		s.send(31)
		synctest.Wait()
		if reply := s.must(200, "GET", "cues/key", ""); reply["state"] != "active" {
			t.Errorf("%v", reply)
		}
	})
}

// TestRateLimit: who asks too often is told when to come back. In the bubble no time passes between requests,
// however slow the disk.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.goOn()
		for i := range cue.Burst {
			s.must(201, "POST", "cues", fmt.Sprintf(`{"id":"c%d","kind":"hide"}`, i))
		}
		w := s.ask("POST", "cues", `{"id":"more","kind":"hide"}`)
		if w.Code != 429 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"error"`) {
			t.Errorf("one too many: %d %v %s", w.Code, w.Header(), w.Body)
		}
	})
}

// TestMalformedBodies: a thousand wrong bodies are refused with a sentence each, and change nothing.
func TestMalformedBodies(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	s.must(201, "POST", "cues", wig)
	before := s.ask("GET", "cues/wig-1", "").Body.String()
	random := rand.New(rand.NewPCG(1, 2))
	routes := []struct{ method, path, body string }{
		{"POST", "cues", strings.Replace(wig, "wig-1", "wig-2", 1)},
		{"PATCH", "cues/wig-1", `{"products":{"sku-1":{"stock":3}}}`},
		{"PUT", "rundown", `{"title":"x","items":[{"id":"r1","kind":"hide"}]}`},
		{"PUT", "delay", `{"delay":"1.5s"}`},
		{"PUT", "products/sku-1", `{"stock":3}`},
	}
	for i := range 1000 {
		route := routes[i%len(routes)]
		body := []byte(route.body)
		switch random.IntN(3) {
		case 0: // cut short
			body = body[:1+random.IntN(len(body)-1)]
		case 1: // a byte that no text has
			body[random.IntN(len(body))] = byte(0x80 + random.IntN(0x80))
		case 2: // brackets without end
			body = bytes.Repeat([]byte("["), 1+random.IntN(60_000))
		}
		w := s.ask(route.method, route.path, string(body))
		if w.Code != 422 && w.Code != 429 && w.Code != 413 || !strings.Contains(w.Body.String(), `"error"`) {
			t.Fatalf("%s %s %.80q: %d %s", route.method, route.path, body, w.Code, w.Body)
		}
	}
	if after := s.ask("GET", "cues/wig-1", "").Body.String(); after != before {
		t.Errorf("was\n%s\nand is\n%s", before, after)
	}
	if r := s.must(200, "GET", "rundown", ""); r["length"] != 0.0 {
		t.Errorf("there is a run of show: %v", r)
	}
}

// TestManyProducers: several write at once, while others look; every cue that was accepted is there once.
func TestManyProducers(t *testing.T) {
	s := newStudio(t)
	s.goOn()
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := make(map[string]bool)
	for i := range 8 {
		wg.Go(func() {
			for j := range 12 {
				id := fmt.Sprintf("p%d-%d", i, j)
				for range 2 { // each twice
					w := s.ask("POST", "cues", fmt.Sprintf(`{"id":%q,"kind":"hide","slot":"s%d"}`, id, i), "Idempotency-Key", id)
					switch w.Code {
					case 200, 201:
						mu.Lock()
						accepted[id] = true
						mu.Unlock()
					case 429:
					default:
						t.Errorf("%s: %d %s", id, w.Code, w.Body)
					}
				}
				s.ask("GET", "cues", "")
				s.ask("PATCH", "cues/"+id, `{"text":"x"}`)
				s.ask("DELETE", "cues/"+id, "")
			}
		})
	}
	wg.Wait()
	var list cue.Listing
	if err := json.Unmarshal(s.ask("GET", "cues", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Cues {
		if !accepted[c.ID] {
			t.Errorf("%s is there twice, or was not accepted", c.ID)
		}
		delete(accepted, c.ID)
	}
	if len(accepted) > 0 {
		t.Errorf("accepted and lost: %v", accepted)
	}
}

// TestKeysAsTheyAreSent: bare and quoted, and nothing that could be two.
func TestKeysAsTheyAreSent(t *testing.T) {
	for _, c := range []struct {
		lines []string
		key   string
		ok    bool
	}{
		{nil, "", true},
		{[]string{"abc"}, "abc", true},
		{[]string{`"abc"`}, "abc", true},
		{[]string{`"`}, `"`, true},
		{[]string{""}, "", false},
		{[]string{`""`}, "", false},
		{[]string{"a", "b"}, "a", false},
		{[]string{"a\tb"}, "a\tb", false},
	} {
		if key, ok := idempotencyKey(c.lines); key != c.key || ok != c.ok {
			t.Errorf("%q: %q %v", c.lines, key, ok)
		}
	}
}
