package origin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ear is one who listens, in a synctest bubble. It is the writer of its own response.
type ear struct {
	hangUp context.CancelCauseFunc
	done   chan struct{}

	mu       sync.Mutex // guards what follows
	h        http.Header
	status   int
	heard    strings.Builder
	writes   int
	deaf     bool // takes nothing any more
	deadline time.Time
}

func listen(o *Server, header ...string) *ear {
	ctx, cancel := context.WithCancelCause(context.Background())
	l := &ear{hangUp: cancel, done: make(chan struct{}), h: http.Header{}}
	r := httptest.NewRequest("GET", "/live/shop/cues/events", nil).WithContext(ctx)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	go func() {
		defer close(l.done)
		o.ServeHTTP(l, r)
	}()
	synctest.Wait()
	return l
}

func (l *ear) Header() http.Header    { return l.h }
func (l *ear) WriteHeader(status int) { l.status = status }
func (l *ear) Flush()                 {}

func (l *ear) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	return nil
}

// Write keeps what it is given. Somebody deaf has a full buffer: it blocks until the deadline.
func (l *ear) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		deadline := l.deadline
		l.mu.Unlock()
		time.Sleep(time.Until(deadline))
		l.mu.Lock()
		return 0, os.ErrDeadlineExceeded
	}
	l.writes++
	return l.heard.Write(p)
}

// told returns what was heard since the last call: names of events and their data; the process in an id, and
// when to retry, are not the same twice, and left out.
func (l *ear) told(o *Server) string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for block := range strings.SplitSeq(l.heard.String(), "\n\n") {
		block = strings.ReplaceAll(block, o.boot+"-", "")
		if !strings.HasPrefix(block, "retry: ") && block != "" {
			out = append(out, strings.ReplaceAll(block, "\n", ", "))
		}
	}
	l.heard.Reset()
	return strings.Join(out, "; ")
}

func (l *ear) gone() bool {
	synctest.Wait()
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// synced is how an event at which a listener is told to fetch the list is told.
func synced(number int) string {
	return fmt.Sprintf(`id: %d, event: sync, data: {"cues":"cues.json?after=%[1]d"}`, number)
}

// TestListen: from the first word to the last of a show.
func TestListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		o := newCueOrigin(Config{}, b)
		b.tell(0, "facts", `{"sku-0":{"stock":9}}`)
		l := listen(o)
		if l.status != 200 || l.h.Get("Content-Type") != "text/event-stream" || l.h.Get("Cache-Control") != "no-store, no-transform" ||
			l.h.Get("Access-Control-Allow-Origin") != "*" || l.h.Get("X-Accel-Buffering") != "no" || l.h.Get("Content-Length") != "" {
			t.Errorf("%d %v", l.status, l.h)
		}
		if !strings.HasPrefix(l.heard.String(), "retry: ") {
			t.Errorf("begins with %q", l.heard.String())
		}
		if got := l.told(o); got != synced(1) {
			t.Errorf("at the beginning: %q", got)
		}
		time.Sleep(time.Second)
		b.tell(0, "facts", `{"sku-1":{"stock":3}}`)
		if got := l.told(o); got != `id: 2, event: facts, data: {"sku-1":{"stock":3}}` {
			t.Errorf("a fact: %q", got)
		}
		time.Sleep(3*heartbeat + time.Second)
		if got := l.told(o); got != ":; :; :" {
			t.Errorf("in a silence: %q", got)
		}
		if !l.deadline.IsZero() {
			t.Errorf("a deadline runs while nothing is written: HTTP/2 would end the response")
		}
		if n := o.Stats().Listening; n != 1 {
			t.Errorf("%d are said to listen", n)
		}
		close(o.shows.(stage)["shop"].(*airing).over)
		if !l.gone() || l.told(o) != "id: 2, event: end, data: {}" {
			t.Error("the end of the show is not told")
		}
		if n := o.Stats().Listening; n != 0 {
			t.Errorf("%d are said to listen", n)
		}
		if r := get(o, "GET", "/live/shop/cues/events"); r.StatusCode != 204 {
			t.Errorf("after the end: %s: a browser would come back for ever", r.Status)
		}
		if counted(o, "cue_events", 200) != 1 || counted(o, "cue_events", 204) != 1 {
			t.Errorf("%+v", o.Stats().Requests)
		}
	})
}

// TestListenAgain: who comes back hears what was missed, or is told to fetch the state.
func TestListenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		o := newCueOrigin(Config{}, b)
		for i := range 10 {
			b.tell(6, "cue", fmt.Sprint(i)) // 5 to 10 are remembered
		}
		for _, c := range []struct{ id, want string }{
			{o.boot + "-10", ""},
			{o.boot + "-8", "id: 9, event: cue, data: 8; id: 10, event: cue, data: 9"},
			{o.boot + "-4", "id: 5, event: cue, data: 4; id: 6, event: cue, data: 5; id: 7, event: cue, data: 6; id: 8, event: cue, data: 7; id: 9, event: cue, data: 8; id: 10, event: cue, data: 9"},
			{o.boot + "-3", synced(10)},
			{o.boot + "-11", synced(10)},
			{o.boot + "-", synced(10)},
			{o.boot + "-x", synced(10)},
			{"other-8", synced(10)},
			{"", synced(10)},
			{strings.Repeat("9", 10_000), synced(10)},
		} {
			l := listen(o, "Last-Event-ID", c.id)
			if got := l.told(o); got != c.want {
				t.Errorf("%.40s: %q", c.id, got)
			}
			l.hangUp(nil)
		}
		l := listen(o, "Last-Event-ID", o.boot+"-9", "Last-Event-ID", o.boot+"-8")
		if got := l.told(o); got != synced(10) {
			t.Errorf("two ids: %q", got)
		}
		l.hangUp(nil)
		synctest.Wait()
		if n := o.Stats().Listening; n != 0 {
			t.Errorf("%d places are lost", n)
		}
	})
}

// TestBurst: what comes in a burst goes out together, in order, and nothing of it is lost.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		o := newCueOrigin(Config{}, b)
		l := listen(o)
		l.told(o)
		before := l.writes
		var want []string
		for i := range 200 {
			b.tell(0, "facts", fmt.Sprint(i))
			want = append(want, fmt.Sprintf("id: %d, event: facts, data: %d", i+1, i))
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		time.Sleep(eventPace)
		if got := l.told(o); got != strings.Join(want, "; ") {
			t.Errorf("got %q", got)
		}
		if n := l.writes - before; n > int(200*time.Millisecond/eventPace)+2 {
			t.Errorf("200 events within 0.2 s took %d writes", n)
		}
		l.hangUp(nil)
		synctest.Wait()
	})
}

// TestSlowListener: who takes nothing is not waited for longer than any other viewer; who takes too little is told
// to fetch the state.
func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		o := newCueOrigin(Config{}, b)
		deaf, well := listen(o), listen(o)
		well.told(o)
		deaf.mu.Lock()
		deaf.deaf = true
		deaf.mu.Unlock()
		time.Sleep(time.Second)
		b.tell(0, "facts", "1")
		if got := well.told(o); got != "id: 1, event: facts, data: 1" {
			t.Errorf("another listener waits for the slow one: %q", got)
		}
		time.Sleep(writeTimeout - time.Second)
		if deaf.gone() {
			t.Error("given up too early")
		}
		time.Sleep(2 * time.Second)
		if !deaf.gone() || well.gone() {
			t.Error("the slow listener is still waited for")
		}
		for i := range 20 {
			b.tell(5, "facts", fmt.Sprint(i)) // before anybody is awake
		}
		time.Sleep(eventPace)
		if got := well.told(o); got != synced(21) {
			t.Errorf("after more than is remembered: %q", got)
		}
		well.hangUp(nil)
		synctest.Wait()
	})
}

// TestListenersAreLimited: for each show and for all, with an answer that says what to do instead.
func TestListenersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		o := New(Config{MaxListeners: 3, MaxListenersPerShow: 2}, stage{}, nil, quiet) // not on yet
		o.Cues = boards{"shop": b, "other": b}
		first, second := listen(o), listen(o)
		third := listen(o)
		if !third.gone() || third.status != 503 || third.h.Get("Retry-After") == "" || third.h.Get("Cache-Control") != "no-store" || !strings.Contains(third.heard.String(), "cues.json") {
			t.Errorf("one too many: %d %v %q", third.status, third.h, third.heard.String())
		}
		if first.gone() || second.gone() {
			t.Error("those who were there had to go")
		}
		first.hangUp(nil)
		if !first.gone() {
			t.Error("hung up, and still there")
		}
		if again := listen(o); again.gone() {
			t.Error("the place that was given back is not found")
		} else {
			again.hangUp(nil)
		}
		second.hangUp(errStopping)
		if !second.gone() {
			t.Error("the server stops, and the listener stays")
		}
		if r := get(o, "HEAD", "/live/shop/cues/events"); r.StatusCode != 200 || body(t, r) != "" {
			t.Errorf("HEAD: %s", r.Status)
		}
		if n := o.Stats().Listening; n != 0 {
			t.Errorf("%d places are lost", n)
		}
	})
}

// TestListenOverTheNetwork: over each protocol the events come one by one, with others on the same connection.
func TestListenOverTheNetwork(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *http.Client, base string, o *Server, _ *studio) {
		b := newBoard()
		o.Cues = boards{"shop": b}
		ctx, hangUp := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", base+"cues/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		next := func() (data string) {
			for lines.Scan() {
				if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					return text
				}
			}
			return fmt.Sprint("nothing more: ", lines.Err())
		}
		list := struct{ Cues string }{}
		if err := json.Unmarshal([]byte(next()), &list); err != nil || !strings.HasPrefix(list.Cues, "cues.json?after=") {
			t.Fatalf("at first: %+v, %v", list, err)
		}
		for i := range 5 {
			b.tell(0, "facts", fmt.Sprint(i))
			if got := next(); got != fmt.Sprint(i) {
				t.Fatalf("event %d: %q", i, got)
			}
			if r, err := c.Get(base + list.Cues); err != nil || r.StatusCode != 200 {
				t.Fatalf("beside: %v %v", r, err)
			} else {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		}
		hangUp()
		until(t, func() bool { return o.Stats().Listening == 0 })
	})
}
