package origin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// asked is a request in progress, in a synctest bubble.
type asked struct {
	sent   time.Time
	hangUp context.CancelCauseFunc
	done   chan struct{}
	// Set when done is closed.
	took time.Duration
	resp *http.Response
}

func ask(o *Server, method, target string) *asked {
	ctx, cancel := context.WithCancelCause(context.Background())
	a := &asked{sent: time.Now(), hangUp: cancel, done: make(chan struct{})}
	r := httptest.NewRequest(method, target, nil).WithContext(ctx)
	w := httptest.NewRecorder()
	go func() {
		defer close(a.done)
		o.ServeHTTP(w, r)
		a.took = time.Since(a.sent)
		a.resp = w.Result()
	}()
	return a
}

func (a *asked) waits() bool {
	synctest.Wait()
	select {
	case <-a.done:
		return false
	default:
		return true
	}
}

// count of requests of a kind that got a status.
func counted(s *Server, kind string, status int) uint64 {
	for _, c := range s.Stats().Requests {
		if c.Kind == kind && c.Status == status {
			return c.Count
		}
	}
	return 0
}

// TestWaitForPart: a blocking request is answered by the very event that brings what it asks for.
func TestWaitForPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second) // segment 11 has parts 0 to 2
		o := newOrigin(Config{}, s)
		part := ask(o, "GET", "/live/shop/v1.m3u8?_HLS_msn=11&_HLS_part=3")
		segment := ask(o, "GET", "/live/shop/v1.m3u8?_HLS_msn=11")
		next := ask(o, "HEAD", "/live/shop/v1.m3u8?_HLS_msn=12&_HLS_part=0")
		hint := last(t, uris(body(t, get(o, "GET", "/live/shop/v1.m3u8")), "#EXT-X-PRELOAD-HINT:"))
		object := ask(o, "GET", "/live/shop/"+hint)
		for _, a := range []*asked{part, segment, next, object} {
			if !a.waits() {
				t.Fatalf("answered before its time: %s", a.resp.Status)
			}
		}
		if st := o.Stats(); st.Waiting != 4 {
			t.Errorf("%d requests are said to wait", st.Waiting)
		}
		time.Sleep(time.Second)
		s.play(9400 * time.Millisecond)
		if part.waits() || object.waits() || !segment.waits() || !next.waits() {
			t.Error("part 3 is there: its waiters, and no others, get an answer")
		}
		if got := body(t, part.resp); part.resp.StatusCode != 200 || !strings.Contains(got, hint+`"`) {
			t.Errorf("%s, and the part is not in\n%s", part.resp.Status, got)
		}
		if got := body(t, object.resp); object.resp.StatusCode != 200 || len(got) == 0 {
			t.Errorf("hinted part: %s, %d bytes", object.resp.Status, len(got))
		}
		s.play(10400 * time.Millisecond)
		if segment.waits() || next.waits() {
			t.Error("segment 12 has a part: everybody gets an answer")
		}
		if b := body(t, next.resp); next.resp.StatusCode != 200 || b != "" || next.resp.Header.Get("Content-Length") == "0" {
			t.Errorf("HEAD: %s, Content-Length %q", next.resp.Status, next.resp.Header.Get("Content-Length"))
		}
		if st := o.Stats(); st.Waiting != 0 || st.Waits != 4 || st.WaitTime != 4*time.Second {
			t.Errorf("%+v", st)
		}
	})
}

// TestWaitIsBounded: a show that stands still is answered 503 after three target durations, whatever was
// asked for (rfc8216bis 6.2.5.2).
func TestWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, fresh := newStudio(t, "low"), newStudio(t, "low")
		s.play(9 * time.Second)
		o := New(Config{}, stage{"shop": s.p.Window(), "fresh": fresh.p.Window()}, nil, quiet)
		hint := last(t, uris(body(t, get(o, "GET", "/live/shop/v1.m3u8")), "#EXT-X-PRELOAD-HINT:"))
		for _, target := range []string{
			"/live/shop/v1.m3u8?_HLS_msn=11&_HLS_part=3",
			"/live/shop/v1.m3u8?_HLS_msn=13",
			"/live/shop/" + hint,
			"/live/fresh/index.m3u8",
			"/live/fresh/v1.m3u8",
		} {
			for _, method := range []string{"GET", "HEAD"} {
				a := ask(o, method, target)
				<-a.done
				if h := a.resp.Header; a.took != 6*time.Second || a.resp.StatusCode != 503 || h.Get("Cache-Control") != "no-store" || h.Get("Retry-After") == "" || h.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s %s: %s after %v, %v", method, target, a.resp.Status, a.took, h)
				}
			}
		}
		if st := o.Stats(); st.Waiting != 0 || st.Waits != 10 {
			t.Errorf("%d waiting, %d waited", st.Waiting, st.Waits)
		}
	})
}

// TestNoWait: what is there costs no place among the waiting.
func TestNoWait(t *testing.T) {
	s := newStudio(t, "low")
	s.play(9 * time.Second)
	o := newOrigin(Config{}, s)
	for _, target := range []string{"/live/shop/index.m3u8", "/live/shop/v1.m3u8", "/live/shop/v1.m3u8?_HLS_msn=8", "/live/shop/e1abc/v1/9.m4s", "/live/shop/none.m4s"} {
		get(o, "GET", target)
	}
	if st := o.Stats(); st.Waits != 0 {
		t.Errorf("%d requests waited", st.Waits)
	}
}

// TestHangUp: a viewer who leaves is not waited for.
func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		a := ask(o, "GET", "/live/shop/v1.m3u8?_HLS_msn=12")
		time.Sleep(time.Second)
		a.hangUp(nil)
		if a.waits() || a.took != time.Second {
			t.Errorf("the handler returned after %v", a.took)
		}
		if st := o.Stats(); st.Waiting != 0 || counted(o, "blocking_playlist", statusGone) != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestEndReleases: the end of a show answers all who wait for more of it.
func TestEndReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		hint := last(t, uris(body(t, get(o, "GET", "/live/shop/v1.m3u8")), "#EXT-X-PRELOAD-HINT:"))
		list := ask(o, "GET", "/live/shop/v1.m3u8?_HLS_msn=13&_HLS_part=0")
		object := ask(o, "GET", "/live/shop/"+hint)
		if !list.waits() || !object.waits() {
			t.Fatal("answered at once")
		}
		s.end()
		if list.waits() || object.waits() {
			t.Fatal("somebody still waits for a show that is over")
		}
		if b := body(t, list.resp); list.resp.StatusCode != 200 || !strings.HasSuffix(b, "#EXT-X-ENDLIST\n") {
			t.Errorf("%s\n%s", list.resp.Status, b)
		}
		// The hint is abandoned, or the last part bears its name.
		if c := object.resp.StatusCode; c != 200 && c != 404 {
			t.Errorf("hinted part: %s", object.resp.Status)
		}
	})
}

// TestCrowded: places to wait are limited, for each show and for all.
func TestCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const target = "/v1.m3u8?_HLS_msn=12"
		shows := stage{}
		for _, name := range []string{"a", "b", "c"} {
			s := newStudio(t, "low")
			s.play(9 * time.Second)
			shows[name] = s.p.Window()
		}
		o := New(Config{MaxWaiting: 3, MaxWaitingPerShow: 2}, shows, nil, quiet)
		var in []*asked
		for _, name := range []string{"a", "a", "b"} {
			a := ask(o, "GET", "/live/"+name+target)
			if !a.waits() {
				t.Fatalf("%s: %s", name, a.resp.Status)
			}
			in = append(in, a)
		}
		for _, name := range []string{"a", "b", "c"} {
			a := ask(o, "GET", "/live/"+name+target)
			if a.waits() || a.resp.StatusCode != 503 || a.resp.Header.Get("Cache-Control") != "no-store" || a.resp.Header.Get("Retry-After") == "" {
				t.Errorf("%s: one too many is not turned down", name)
			}
		}
		if r := get(o, "GET", "/live/a/v1.m3u8"); r.StatusCode != 200 {
			t.Errorf("what is there needs no place: %s", r.Status)
		}
		in[0].hangUp(nil)
		synctest.Wait()
		more := ask(o, "GET", "/live/c"+target)
		if !more.waits() {
			t.Errorf("a place was left, and not found: %s", more.resp.Status)
		}
		for _, a := range append(in, more) {
			a.hangUp(nil)
		}
		synctest.Wait()
		if n := o.Stats().Waiting; n != 0 {
			t.Errorf("%d places are lost", n)
		}
	})
}

// TestStopReleases: a server that stops says so to those who wait.
func TestStopReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		a := ask(o, "GET", "/live/shop/v1.m3u8?_HLS_msn=12")
		if !a.waits() {
			t.Fatal("answered at once")
		}
		a.hangUp(errStopping)
		if a.waits() || a.resp.StatusCode != 503 || a.resp.Header.Get("Connection") != "close" || a.resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", a.resp)
		}
	})
}

// TestPanicLeavesNoTrace: a show that panics does not keep its visitor's place.
func TestPanicLeavesNoTrace(t *testing.T) {
	o := New(Config{}, stage{"shop": faulty{}}, nil, quiet)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		get(o, "GET", "/live/shop/x.mp4")
	}()
	if n := o.Stats().Waiting; n != 0 {
		t.Errorf("%d places are lost", n)
	}
}
