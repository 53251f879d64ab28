package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"pushcart/bench/pushlog"
)

func TestParsePlaylist(t *testing.T) {
	p, err := parsePlaylist([]byte(`#EXTM3U
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-GAP
#EXTINF:2.00000,
gap.mp4
#EXTINF:2.00000,
8.m4s
#EXT-X-PART:DURATION=0.33333,INDEPENDENT=YES,URI="p1.m4s?a,b=c"
#EXT-X-PART:URI="p2.m4s",DURATION=0.33333
#EXTINF:0.66667,
9.m4s
#EXT-X-PART:DURATION=0.3,URI="p3.m4s"
#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="init.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p4.m4s"
`))
	if err != nil {
		t.Fatal(err)
	}
	if p.msn != 10 || p.part != 1 || p.hint != "p4.m4s" {
		t.Errorf("next is %d.%d, hint %q; want 10.1, p4.m4s", p.msn, p.part, p.hint)
	}
	if want := []string{"p1.m4s?a,b=c", "p2.m4s", "p3.m4s"}; !reflect.DeepEqual(p.parts, want) {
		t.Errorf("parts %q, want %q", p.parts, want)
	}
	if got := fmt.Sprintf("%.2f", p.seconds); got != "4.97" {
		t.Errorf("%s s of media, want 2 + 0.66667 + 0.3 (and the second that follows the gap)", got)
	}
	if _, err := parsePlaylist([]byte("<html>")); err == nil {
		t.Error("a page was taken for a playlist")
	}
}

func TestBlockingTarget(t *testing.T) {
	u, _ := url.Parse("/live/a/v1.m3u8?session=x")
	r := rendition{path: u}
	if got, want := r.blocking(12, 3), "/live/a/v1.m3u8?_HLS_msn=12&_HLS_part=3&session=x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := r.resolve("e/v1/p.m4s"), "/live/a/e/v1/p.m4s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestHerd has many connections ask a real HTTP server for bodies of every framing and size.
func TestHerd(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/big":
			w.Header().Set("Content-Length", fmt.Sprint(len(big)))
			w.Write(big)
		case "/chunked":
			for range 3 {
				io.WriteString(w, "some text 0\r\n")
				w.(http.Flusher).Flush()
			}
		case "/empty":
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	c := &contender{origin: strings.TrimPrefix(srv.URL, "http://")}
	h, err := newHerd(c.origin, 20)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	paths := []string{"/big", "/chunked", "/empty", "/missing"}
	for i := range h.conns {
		if err := h.send(i, c.request(paths[i%len(paths)])); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	got, count := map[string]int{}, 0
	err = h.drive(ctx, func(a answer) (bool, error) {
		count++
		got[fmt.Sprint(a.status)]++
		if count >= 200 {
			return true, nil
		}
		return false, h.send(a.conn, c.request(paths[(a.conn+1)%len(paths)]))
	})
	if err != nil {
		t.Fatalf("after %d answers: %v", count, err)
	}
	if got["200"]+got["404"] != 200 || got["404"] == 0 {
		t.Errorf("answers by status: %v", got)
	}
}

// TestHerdNotices checks that a server that hangs up is an error, and one that is silent ends with ctx.
func TestHerdNotices(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	c := &contender{origin: strings.TrimPrefix(srv.URL, "http://")}
	for path, want := range map[string]struct {
		word    string
		timeout time.Duration
	}{"/abort": {"closed the connection", time.Minute}, "/hang": {"deadline", time.Second}} {
		h, err := newHerd(c.origin, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.send(0, c.request(path)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), want.timeout)
		err = h.drive(ctx, func(answer) (bool, error) { return true, nil })
		if err == nil || !strings.Contains(err.Error(), want.word) {
			t.Errorf("%s: got %v, want %q", path, err, want.word)
		}
		cancel()
		h.close()
	}
}

func TestSentAt(t *testing.T) {
	x := newIndex([]pushlog.Entry{{Picture: 4, Wall: 100}, {Picture: 4, Wall: 900}, {Stream: 1, Picture: 4, Wall: 50}, {Picture: -1, Cue: "c", Wall: 5}})
	for wall, want := range map[int64]int64{100: 100, 899: 100, 5000: 900} {
		if got, ok := x.sentAt(0, 4, wall); !ok || got != want {
			t.Errorf("before %d: got %d, %v, want %d", wall, got, ok, want)
		}
	}
	if _, ok := x.sentAt(0, 4, 99); ok {
		t.Error("a picture arrived before it was sent")
	}
	if _, ok := x.sentAt(0, 5, 99); ok {
		t.Error("a picture that was never sent was found")
	}
}

func TestTable(t *testing.T) {
	tab := &table{columns: []string{"a", "b"}, ratio: true}
	tab.row("x", measured("%.1f µs", 1), measured("%.1f µs", 4))
	tab.row("longer", measured("%.0f", 2), figure{})
	var b strings.Builder
	tab.print(&b)
	want := "| what   | a      | b            | ratio |\n" +
		"| ------ | ------ | ------------ | ----- |\n" +
		"| x      | 1.0 µs | 4.0 µs       | 0.25  |\n" +
		"| longer | 2      | not measured | -     |\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	s := spans{5, 1, 4, 2, 3}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := s.quantile(q); got != want {
			t.Errorf("quantile %v: got %d, want %d", q, got, want)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Setenv("PEER_MEDIAMTX", "")
	o, err := parseFlags([]string{"-suite", "start,parts", "-streams", "2,3"})
	if err != nil || !reflect.DeepEqual(o.streams, []int{2, 3}) || len(contenders(o)) != 1 {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-suite", "speed"}, {"-streams", "1,,2"}, {"-viewers", "0"}, {"-seconds", "0"}, {"x"}, {"-only", "MediaMTX"}} {
		if _, err := parseFlags(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
