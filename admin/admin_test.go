package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// shelf is a Source of one show.
type shelf struct {
	show Stream
	cut  []string
}

func (s *shelf) Streams() []Stream {
	if s.show.Name == "" {
		return nil
	}
	return []Stream{s.show}
}
func (s *shelf) Stream(name string) (Stream, bool) { return s.show, name == s.show.Name }
func (s *shelf) Cut(name string) bool {
	s.cut = append(s.cut, name)
	return name == s.show.Name
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newServer(src Source) *Server {
	return &Server{
		Source:  src,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a_metric 1\n") }),
		Ready:   func() error { return nil },
		Log:     slog.New(slog.DiscardHandler),
	}
}

func ask(s *Server, method, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// The names of fields are a promise to those who wrote scripts.
func TestFieldNames(t *testing.T) {
	show := Stream{
		Name: "shop-42", Epoch: "e1", State: "live", Since: noon, Start: noon,
		Host: Host{"rtmp", "203.0.113.9:5000", "OBS"}, Sessions: 2, Viewers: 3, ReceivedBytes: 4,
		Contributors: []Contributor{{"720p", noon, Host{"rtmp", "203.0.113.9:5001", "OBS"}, []int{2001}}},
		Tracks: []Track{{ID: 1, Kind: "video", Codec: "h264", Codecs: "avc1.64001f", Language: "en", Label: "720p", Width: 720, Height: 1280,
			SampleRate: 48000, Channels: 2, BitRate: 5, FrameRate: 29.97, KeyframeInterval: 2}},
		Repairs: map[string]int64{"jumps": 6}, Remarks: []Remark{{noon, "The clock has jumped."}},
	}
	const want = `{"name":"shop-42","epoch":"e1","state":"live","since":"2026-11-21T12:00:00Z","start":"2026-11-21T12:00:00Z",` +
		`"host":{"protocol":"rtmp","remote":"203.0.113.9:5000","encoder":"OBS"},` +
		`"contributors":[{"role":"720p","since":"2026-11-21T12:00:00Z","protocol":"rtmp","remote":"203.0.113.9:5001","encoder":"OBS","tracks":[2001]}],` +
		`"sessions":2,"viewers":3,"received_bytes":4,` +
		`"tracks":[{"id":1,"kind":"video","codec":"h264","codecs":"avc1.64001f","language":"en","label":"720p","width":720,"height":1280,` +
		`"sample_rate":48000,"channels":2,"bit_rate":5,"frame_rate":29.97,"keyframe_interval":2}],` +
		`"repairs":{"jumps":6},"remarks":[{"at":"2026-11-21T12:00:00Z","text":"The clock has jumped."}]}`
	w := ask(newServer(&shelf{show: show}), "GET", "/v1/streams/live/shop-42", nil)
	var got strings.Builder
	var compact json.RawMessage
	if err := json.Unmarshal(w.Body.Bytes(), &compact); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(compact)
	got.Write(b)
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
}

func TestRoutes(t *testing.T) {
	src := &shelf{show: Stream{Name: "shop-42"}}
	s := newServer(src)
	for _, tt := range []struct {
		method, path string
		status       int
		body         string // in the answer
	}{
		{"GET", "/v1/streams", 200, `"name": "shop-42"`},
		{"HEAD", "/v1/streams", 200, ""},
		{"GET", "/v1/streams/live/shop-42", 200, `"name": "shop-42"`},
		{"GET", "/v1/streams/live/other", 404, `"error": "no show called \"other\" is on"`},
		{"DELETE", "/v1/streams/live/shop-42", 204, ""},
		{"DELETE", "/v1/streams/live/other", 404, `"error"`},
		{"POST", "/v1/streams/live/shop-42", 405, `"error": "POST is not possible here: use GET, HEAD, DELETE"`},
		{"DELETE", "/v1/streams", 405, `"error"`},
		{"GET", "/", 404, `"error"`},
		{"GET", "/v1/streams/live/", 404, `"error"`},
		{"GET", "/metrics", 200, "a_metric 1"},
		{"GET", "/healthz", 200, `"ok"`},
		{"GET", "/readyz", 200, `"ready"`},
		{"GET", "/debug/pprof/", 200, "goroutine"},
		{"GET", "/debug/pprof/heap?debug=1", 200, "heap profile"},
		{"GET", "/debug/pprof/profile?seconds=100000", 400, `"error"`},
	} {
		w := ask(s, tt.method, tt.path, nil)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s %s: got %d %s", tt.method, tt.path, w.Code, w.Body)
		}
		if w.Code == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", tt.method, tt.path)
		}
	}
	if len(src.cut) != 2 || src.cut[0] != "shop-42" || src.cut[1] != "other" {
		t.Errorf("cut: %q", src.cut)
	}
}

func TestNoShowsIsAnEmptyList(t *testing.T) {
	if w := ask(newServer(&shelf{}), "GET", "/v1/streams", nil); !strings.Contains(w.Body.String(), `"streams": []`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestReady(t *testing.T) {
	s := newServer(&shelf{})
	s.Ready = func() error { return errors.New("the server is shutting down") }
	if w := ask(s, "GET", "/readyz", nil); w.Code != 503 || !strings.Contains(w.Body.String(), "shutting down") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := ask(s, "GET", "/healthz", nil); w.Code != 200 {
		t.Errorf("healthz: got %d", w.Code)
	}
}

func TestGuard(t *testing.T) {
	header := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == "Host" {
					r.Host = pairs[i+1]
				} else {
					r.Header.Set(pairs[i], pairs[i+1])
				}
			}
		}
	}
	for _, tt := range []struct {
		what         string
		listen       string
		method, path string
		change       func(*http.Request)
		status       int
	}{
		{"curl", "", "DELETE", "/v1/streams/live/a", nil, 204},
		{"localhost", "", "GET", "/v1/streams", header("Host", "localhost:8081"), 200},
		{"without port", "", "GET", "/v1/streams", header("Host", "LOCALHOST"), 200},
		{"IPv6", "", "GET", "/v1/streams", header("Host", "[::1]:8081"), 200},
		{"a name below localhost", "", "GET", "/v1/streams", header("Host", "pushcart.localhost:8081"), 200},
		{"rebinding", "", "GET", "/v1/streams", header("Host", "evil.example:8081"), 403},
		{"rebinding of a cut", "", "DELETE", "/v1/streams/live/a", header("Host", "evil.example:8081"), 403},
		{"rebinding with a look-alike", "", "GET", "/v1/streams", header("Host", "127.0.0.1.evil.example"), 403},
		{"another look-alike", "", "GET", "/v1/streams", header("Host", "localhost.evil.example"), 403},
		{"no host", "", "GET", "/v1/streams", header("Host", ""), 403},
		{"listening for others", "0.0.0.0:8081", "GET", "/v1/streams", header("Host", "admin.example:8081"), 200},
		{"own page", "", "DELETE", "/v1/streams/live/a", header("Origin", "http://127.0.0.1:8081", "Sec-Fetch-Site", "same-origin"), 204},
		{"foreign page", "", "DELETE", "/v1/streams/live/a", header("Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"), 403},
		{"foreign page, old browser", "", "DELETE", "/v1/streams/live/a", header("Origin", "http://evil.example"), 403},
		{"page on another port", "", "DELETE", "/v1/streams/live/a", header("Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-site"), 403},
		{"sandboxed page", "", "DELETE", "/v1/streams/live/a", header("Origin", "null"), 403},
		{"link from elsewhere", "", "GET", "/v1/streams", header("Sec-Fetch-Site", "cross-site"), 200},
		{"profile as an image", "", "GET", "/debug/pprof/profile", header("Sec-Fetch-Site", "cross-site"), 403},
	} {
		src := &shelf{show: Stream{Name: "a"}}
		s := newServer(src)
		s.Config.Listen = tt.listen
		w := ask(s, tt.method, tt.path, tt.change)
		if w.Code != tt.status {
			t.Errorf("%s: got %d %s", tt.what, w.Code, w.Body)
		}
		if tt.status == 403 && (len(src.cut) > 0 || !strings.Contains(w.Body.String(), `"error"`)) {
			t.Errorf("%s: refused, and yet cut %q, with %s", tt.what, src.cut, w.Body)
		}
	}
}

func TestRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- newServer(&shelf{}).Run(ctx, l) }()
	res, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := http.Get("http://" + l.Addr().String() + "/healthz"); err == nil {
		t.Error("still listening")
	}
}

func TestValidate(t *testing.T) {
	for listen, ok := range map[string]bool{
		"": true, "off": true, ":8081": true, "127.0.0.1:0": true, "[::1]:http": true, "8081": false, "a:b:c": false, ":99999": false,
	} {
		if err := (Config{Listen: listen}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
