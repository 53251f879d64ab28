package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A site as small as can be: the page, one script and a library.
func site(script string) fstest.MapFS {
	return fstest.MapFS{
		"player/index.html": {Data: []byte(`<body><script src="{{assets}}player/main.js"></script></body>`)},
		"player/main.js":    {Data: []byte(script)},
		"dist/.gitkeep":     {},
		"dist/hls.min.mjs":  {Data: []byte("library")},
	}
}

func TestPage(t *testing.T) {
	res := get(t, Handler(), "GET", "/live/shop/")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %v %v", res.Status, res.Header)
	}
	if got := res.Header.Get("Cache-Control"); got != pageCache {
		t.Errorf("Cache-Control is %q", got)
	}
	for _, word := range []string{"default-src 'none'", "script-src 'self'", "media-src 'self' blob:"} {
		if !strings.Contains(res.Header.Get("Content-Security-Policy"), word) {
			t.Errorf("the policy %q lacks %q", res.Header.Get("Content-Security-Policy"), word)
		}
	}
	page := body(t, res)
	if bytes.Contains(page, []byte("{{")) {
		t.Error("the page has a placeholder left")
	}
	other := body(t, get(t, Handler(), "GET", "/live/another/"))
	if !bytes.Equal(page, other) {
		t.Error("two shows got different pages")
	}
}

// Every asset that the page names exists, and none comes from elsewhere; style and script are no part of
// the page, or the policy would forbid them.
func TestPageNamesItsAssets(t *testing.T) {
	page := string(body(t, get(t, Handler(), "GET", "/live/shop/")))
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 5 {
		t.Fatalf("the page names %d assets", len(named))
	}
	for _, m := range named {
		if !strings.HasPrefix(m[1], AssetsPrefix) {
			t.Errorf("%s is not below %s", m[1], AssetsPrefix)
			continue
		}
		res := get(t, Handler(), "GET", m[1])
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != assetCache {
			t.Errorf("%s: %s, %v", m[1], res.Status, res.Header)
		}
	}
	if inline := regexp.MustCompile(`<style|<script>|\son\w+=|\sstyle=`).FindString(page); inline != "" {
		t.Errorf("the page has something inline: %q", inline)
	}
}

// Modules find each other by relative paths, below the same hash.
func TestModulesImportWhatExists(t *testing.T) {
	h := newHandler(files)
	importing := regexp.MustCompile(`(?:from|import\() ?'\./([^']+)'`)
	for name, doc := range h.assets {
		if !strings.HasSuffix(name, ".js") || !strings.HasPrefix(name, "player/") {
			continue
		}
		for _, m := range importing.FindAllSubmatch(doc.plain.body, -1) {
			if h.assets["player/"+string(m[1])] == nil {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
}

// The demo show's cues name their pictures by paths that hold whatever the page's assets are.
func TestDemoPicturesStayWhereTheyAre(t *testing.T) {
	res := get(t, Handler(), "GET", DemoPrefix+"mug.webp")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/webp" || res.Header.Get("Cache-Control") != demoCache {
		t.Errorf("got %s %v", res.Status, res.Header)
	}
	if res := get(t, Handler(), "GET", DemoPrefix+"nothing.webp"); res.StatusCode != 404 {
		t.Errorf("a picture that is not there: %s", res.Status)
	}
}

func TestAssetsChangeTheirAddressWithTheirContent(t *testing.T) {
	a, b := newHandler(site("one")), newHandler(site("two"))
	if a.prefix == b.prefix {
		t.Fatal("two contents, one address")
	}
	if again := newHandler(site("one")); again.prefix != a.prefix {
		t.Error("one content, two addresses")
	}
	res := get(t, a, "GET", a.prefix+"player/main.js")
	if got := string(body(t, res)); got != "one" || res.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("got %q %v", got, res.Header)
	}
	for _, path := range []string{b.prefix + "player/main.js", a.prefix, a.prefix + "player/index.html", a.prefix + "dist/.gitkeep", "/assets/", "/assets/x/../main.js"} {
		if res := get(t, a, "GET", path); res.StatusCode != 404 || res.Header.Get("Cache-Control") != missingCache {
			t.Errorf("%s: %s %v", path, res.Status, res.Header)
		}
	}
}

func TestPageSaysWhenLibrariesAreMissing(t *testing.T) {
	built := site("x")
	if strings.Contains(string(body(t, get(t, newHandler(built), "GET", "/"))), "data-missing") {
		t.Error("a built page says that something is missing")
	}
	delete(built, "dist/hls.min.mjs")
	if !strings.Contains(string(body(t, get(t, newHandler(built), "GET", "/"))), "<body data-missing>") {
		t.Error("a page that was not built does not say so")
	}
}

func TestCompressionAndValidators(t *testing.T) {
	script := strings.Repeat("let it = 'repeat';\n", 500)
	h := newHandler(site(script))
	path := h.prefix + "player/main.js"

	plain, packed := get(t, h, "GET", path), get(t, h, "GET", path, "Accept-Encoding", "br, gzip")
	if plain.Header.Get("Content-Encoding") != "" || packed.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("compression does not follow Accept-Encoding")
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != script {
		t.Errorf("the compressed form differs: %v", err)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("two forms with one strong validator")
	}
	for _, tc := range []struct {
		sent string
		want int
	}{
		{plain.Header.Get("ETag"), 304},
		{`"other", W/` + plain.Header.Get("ETag"), 304},
		{"*", 304},
		{packed.Header.Get("ETag"), 200},
		{`"other"`, 200},
	} {
		res := get(t, h, "GET", path, "If-None-Match", tc.sent)
		if res.StatusCode != tc.want {
			t.Errorf("If-None-Match: %s: %s, want %d", tc.sent, res.Status, tc.want)
		}
		if b := body(t, res); tc.want == 304 && len(b) > 0 {
			t.Error("a 304 with a body")
		}
	}
}

func TestMethods(t *testing.T) {
	head := get(t, Handler(), "HEAD", "/live/shop/")
	full := get(t, Handler(), "GET", "/live/shop/")
	if head.StatusCode != 200 || len(body(t, head)) != 0 || head.Header.Get("Content-Length") != full.Header.Get("Content-Length") {
		t.Errorf("HEAD: %s %v", head.Status, head.Header)
	}
	if res := get(t, Handler(), "POST", "/live/shop/"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s %v", res.Status, res.Header)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false,
		"br": false, "xgzip": false, "gzip;q=1": true, "*": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("Accept-Encoding: %q: %v", header, got)
		}
	}
}
