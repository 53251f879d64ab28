package origin

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushcart/packager"
)

// TestHeaders goes through the kinds of resource: status, type, caching, priority, and what every
// response must carry.
func TestHeaders(t *testing.T) {
	low, safe := newStudio(t, "low"), newStudio(t, "safe")
	low.play(9 * time.Second)
	safe.play(19 * time.Second)
	over := newStudio(t, "low")
	over.play(9 * time.Second)
	over.end()
	o := New(Config{}, stage{"low": low.p.Window(), "safe": safe.p.Window(), "over": over.p.Window()}, nil, quiet)

	const (
		m3u8   = "application/vnd.apple.mpegurl"
		text   = "text/plain; charset=utf-8"
		day    = "public, max-age=86400, immutable"
		nobody = "no-store"
		second = "max-age=1"
	)
	for _, c := range []struct {
		path          string
		status        int
		kind          string
		cache, urgent string
	}{
		{"/live/low/index.m3u8", 200, m3u8, "public, max-age=2, stale-if-error=60", "u=1"},
		{"/live/safe/index.m3u8", 200, m3u8, "public, max-age=4, stale-if-error=60", "u=1"},
		{"/live/low/v1.m3u8", 200, m3u8, "public, max-age=1", "u=1"},
		{"/live/safe/v1.m3u8", 200, m3u8, "public, max-age=2", "u=1"},
		{"/live/low/a1.m3u8?token=x", 200, m3u8, "public, max-age=1", "u=1"},
		{"/live/low/v1.m3u8?_HLS_skip=YES", 200, m3u8, "public, max-age=1", "u=1"},
		{"/live/low/v1.m3u8?_HLS_msn=8", 200, m3u8, "public, max-age=12", "u=1"},
		{"/live/safe/v1.m3u8?_HLS_msn=8&_HLS_part=1", 200, m3u8, "public, max-age=24", "u=1"},
		{"/live/low/v1.m3u8?_HLS_msn=0", 200, m3u8, "public, max-age=12", "u=1"},
		{"/live/over/v1.m3u8?_HLS_msn=900&_HLS_part=1", 200, m3u8, "public, max-age=1", "u=1"},
		{"/live/over/v1.m3u8?_HLS_part=1", 200, m3u8, "public, max-age=1", "u=1"},
		{"/live/low/e1abc/v1/init1.mp4", 200, "video/mp4", day, "u=3"},
		{"/live/low/e1abc/v1/9.m4s", 200, "video/mp4", day, "u=3"},
		{"/live/low/e1abc/a1/9.m4s", 200, "audio/mp4", day, "u=2"},

		{"/live/low/v1.m3u8?_HLS_part=1", 400, text, nobody, ""},
		{"/live/low/v1.m3u8?_HLS_msn=-8", 400, text, nobody, ""},
		{"/live/low/v1.m3u8?_HLS_msn=14", 400, text, nobody, ""},
		{"/live/low/v1.m3u8?_HLS_msn=11&_HLS_part=40", 400, text, nobody, ""},
		{"/live/low/v9.m3u8", 404, text, second, ""},
		{"/live/low/v9.m3u8?_HLS_msn=8", 404, text, second, ""},
		{"/live/low/e1abc/v1.m3u8", 404, text, second, ""},
		{"/live/low/.m3u8", 404, text, second, ""},
		{"/live/low/e1abc/v1/p999.m4s", 404, text, second, ""},
		{"/live/low/e1abc/v1/gap1.m4s", 404, text, second, ""},
		{"/live/low/e1abc/v1/../v1/9.m4s", 404, text, second, ""},
		{"/live/low/" + strings.Repeat("x", maxPathLen+1), 404, text, second, ""},
		{"/live/nobody/index.m3u8", 404, text, second, ""},
		{"/live/a%20b/index.m3u8", 404, text, second, ""},
		{"/live//index.m3u8", 404, text, second, ""},
		{"/live/", 404, text, second, ""},
	} {
		r := get(o, "GET", c.path)
		h := r.Header
		got := body(t, r)
		if r.StatusCode != c.status || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache || h.Get("Priority") != c.urgent {
			t.Errorf("%s: %d %q, %q, Priority %q", c.path, r.StatusCode, h.Get("Content-Type"), h.Get("Cache-Control"), h.Get("Priority"))
		}
		if h.Get("Content-Length") != strconv.Itoa(len(got)) || len(got) == 0 {
			t.Errorf("%s: Content-Length %q, body of %d", c.path, h.Get("Content-Length"), len(got))
		}
		if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "Age, ") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: common headers: %v", c.path, h)
		}
		if vary := h.Get("Vary"); (vary == "Accept-Encoding") != (c.kind == m3u8) {
			t.Errorf("%s: Vary %q", c.path, vary)
		}

		head := get(o, "HEAD", c.path)
		if b := body(t, head); b != "" || head.StatusCode != c.status || head.Header.Get("Content-Length") != h.Get("Content-Length") {
			t.Errorf("HEAD %s: %d, Content-Length %q, body %q", c.path, head.StatusCode, head.Header.Get("Content-Length"), b)
		}
	}
}

func TestMethods(t *testing.T) {
	s := newStudio(t, "low")
	s.play(9 * time.Second)
	o := newOrigin(Config{}, s)
	r := get(o, "OPTIONS", "/live/shop/v1.m3u8?_HLS_part=1", "Origin", "https://shop.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range")
	if h := r.Header; r.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Max-Age") != "86400" ||
		!strings.Contains(h.Get("Access-Control-Allow-Methods"), "HEAD") || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Range") {
		t.Errorf("OPTIONS: %s %v", r.Status, h)
	}
	for _, m := range []string{"POST", "PUT", "DELETE", "TRACE", "PROPFIND"} {
		r := get(o, m, "/live/shop/v1.m3u8")
		if r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %s, Allow %q", m, r.Status, r.Header.Get("Allow"))
		}
	}
}

func TestPages(t *testing.T) {
	s := newStudio(t, "low")
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "page of "+r.URL.Path)
	})
	o := New(Config{}, stage{"shop": s.p.Window()}, pages, quiet)
	for _, path := range []string{"/", "/live", "/assets/x/player.js", "/live/shop/", "/live/nobody/"} {
		r := get(o, "GET", path)
		if got := body(t, r); got != "page of "+path || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s %q", path, r.Status, got)
		}
	}
	if r := get(o, "GET", "/live/shop?lang=pt"); r.StatusCode != 301 || r.Header.Get("Location") != "shop/?lang=pt" {
		t.Errorf("/live/shop: %s, Location %q", r.Status, r.Header.Get("Location"))
	}
	if r := get(o, "GET", "/healthz"); r.StatusCode != 200 || body(t, r) != "ok\n" {
		t.Errorf("/healthz: %s", r.Status)
	}
	if r := get(New(Config{}, stage{}, nil, quiet), "GET", "/"); r.StatusCode != 404 {
		t.Errorf("without pages: %s", r.Status)
	}
}

// TestGzip: the compressed text is the same text, and has a tag of its own.
func TestGzip(t *testing.T) {
	s := newStudio(t, "low")
	s.play(9 * time.Second)
	o := newOrigin(Config{}, s)
	for _, path := range []string{"/live/shop/index.m3u8", "/live/shop/v1.m3u8", "/live/shop/v1.m3u8?_HLS_msn=8&_HLS_part=0&_HLS_skip=v2"} {
		plain := get(o, "GET", path, "Accept-Encoding", "gzip;q=0, br")
		packed := get(o, "GET", path, "Accept-Encoding", "gzip, br")
		if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: Content-Encoding %q, %q", path, plain.Header.Get("Content-Encoding"), packed.Header.Get("Content-Encoding"))
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if want := body(t, plain); err != nil || string(unpacked) != want || want == "" {
			t.Errorf("%s: unpacked %q, %v; plain %q", path, unpacked, err, want)
		}
		tag, ztag := plain.Header.Get("Etag"), packed.Header.Get("Etag")
		if tag == "" || tag == ztag || ztag[0] != '"' || ztag[len(ztag)-1] != '"' {
			t.Errorf("%s: tags %s, %s", path, tag, ztag)
		}
		for _, c := range []struct {
			accept, match string
			status        int
		}{
			{"identity", tag, 304},
			{"gzip", ztag, 304},
			{"gzip", "W/" + ztag, 304},
			{"gzip", tag, 200},
			{"identity", `"other"`, 200},
			{"identity", "*", 304},
		} {
			r := get(o, "GET", path, "Accept-Encoding", c.accept, "If-None-Match", c.match)
			if r.StatusCode != c.status {
				t.Errorf("%s, %s, If-None-Match %s: %s", path, c.accept, c.match, r.Status)
			}
			if r.StatusCode == 304 && (body(t, r) != "" || r.Header.Get("Etag") == "" || r.Header.Get("Vary") == "" || r.Header.Get("Cache-Control") == "") {
				t.Errorf("%s: 304 with %v", path, r.Header)
			}
		}
	}
	r := get(o, "GET", "/live/shop/v1.m3u8")
	tag := r.Header.Get("Etag")
	s.play(10 * time.Second)
	if r := get(o, "GET", "/live/shop/v1.m3u8", "If-None-Match", tag); r.StatusCode != 200 || r.Header.Get("Etag") == tag {
		t.Errorf("a newer playlist has the tag of an older one: %s", r.Status)
	}
}

// TestObjects: a segment is its parts, and a range of it is a range of all of them.
func TestObjects(t *testing.T) {
	s := newStudio(t, "low")
	s.play(9 * time.Second)
	o := newOrigin(Config{}, s)
	const dir, segment = "/live/shop/", "/live/shop/e1abc/v1/9.m4s"
	whole := body(t, get(o, "GET", segment))
	list := body(t, get(o, "GET", dir+"v1.m3u8"))

	var parts strings.Builder
	_, after, _ := strings.Cut(list, "e1abc/v1/8.m4s\n")
	of9, _, _ := strings.Cut(after, "e1abc/v1/9.m4s\n")
	for _, uri := range uris(of9, "#EXT-X-PART:") {
		parts.WriteString(body(t, get(o, "GET", dir+uri)))
	}
	if parts.String() != whole || whole == "" {
		t.Errorf("the segment has %d bytes, its parts have %d", len(whole), parts.Len())
	}

	size := len(whole)
	at := func(from, to int) string { return whole[from:to] }
	for _, c := range []struct {
		header string
		status int
		want   string
		crange string
	}{
		{"bytes=0-", 206, whole, "bytes 0-" + strconv.Itoa(size-1)},
		{"bytes=100-199", 206, at(100, 200), "bytes 100-199"},
		{"bytes=-7", 206, at(size-7, size), "bytes " + strconv.Itoa(size-7) + "-" + strconv.Itoa(size-1)},
		{"bytes=" + strconv.Itoa(size/5) + "-" + strconv.Itoa(size-10), 206, at(size/5, size-9), "bytes " + strconv.Itoa(size/5) + "-" + strconv.Itoa(size-10)},
		{"bytes=0-1,4-5", 200, whole, ""},
		{"bytes=9-1", 200, whole, ""},
		{"bytes=" + strconv.Itoa(size) + "-", 416, "", "bytes *"},
	} {
		r := get(o, "GET", segment, "Range", c.header)
		got := body(t, r)
		crange := c.crange
		if crange != "" {
			crange += "/" + strconv.Itoa(size)
		}
		if r.StatusCode != c.status || r.Header.Get("Content-Range") != crange || c.status != 416 && got != c.want {
			t.Errorf("%s: %s, Content-Range %q, %d bytes", c.header, r.Status, r.Header.Get("Content-Range"), len(got))
		}
		if r.Header.Get("Content-Length") != strconv.Itoa(len(got)) || r.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: Content-Length %q, Accept-Ranges %q", c.header, r.Header.Get("Content-Length"), r.Header.Get("Accept-Ranges"))
		}
	}
	// A range is defined for GET only (RFC 9110 section 14.2).
	if r := get(o, "HEAD", segment, "Range", "bytes=0-1"); r.StatusCode != 200 || r.Header.Get("Content-Length") != strconv.Itoa(size) {
		t.Errorf("HEAD: %s, Content-Length %q", r.Status, r.Header.Get("Content-Length"))
	}
}

// TestFailureTable: each error is answered once and for all in the table, wrapped or not.
func TestFailureTable(t *testing.T) {
	for _, f := range failures {
		if got := failureOf(errors.Join(errors.New("context"), f.err)); got.status != f.status {
			t.Errorf("%v: %d", f.err, got.status)
		}
		if f.status == 503 && (f.cache[0] != "no-store" || !f.retry) {
			t.Errorf("%v: a 503 must not be kept, and says when to come back", f.err)
		}
	}
	if got := failureOf(errors.New("surprise")); got.status != 500 || got.cache[0] != "no-store" {
		t.Errorf("unknown error: %+v", got)
	}
}

// FuzzServe throws targets at the whole handler.
func FuzzServe(f *testing.F) {
	s := newStudio(f, "low")
	s.play(5 * time.Second)
	o := newOrigin(Config{}, s)
	s.end() // so that nothing waits
	for _, p := range []string{
		"/live/shop/index.m3u8", "/live/shop/v1.m3u8?_HLS_msn=7&_HLS_part=1", "/live/shop/e1abc/v1/init1.mp4",
		"/live/shop", "/live/shop/", "/live//", "/live/../x", "/live/shop/.m3u8", "/live/shop/e1abc//", "/healthz", "*",
	} {
		f.Add(p)
	}
	known := map[int]bool{200: true, 301: true, 400: true, 404: true}
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.NewRequest("GET", "http://x"+target, nil)
		if err != nil {
			return
		}
		w := new(discard)
		o.ServeHTTP(w, r)
		if !known[w.status] {
			t.Fatalf("%q: %d", target, w.status)
		}
	})
}

// discard is a ResponseWriter that keeps nothing but the status.
type discard struct {
	h      http.Header
	status int
}

func (d *discard) Header() http.Header {
	if d.h == nil {
		d.h = make(http.Header)
	}
	return d.h
}

func (d *discard) SetWriteDeadline(time.Time) error { return nil }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(p []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return len(p), nil
}

var _ Show = (*packager.Window)(nil)
