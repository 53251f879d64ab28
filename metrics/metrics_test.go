package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func scrape(t *testing.T, r *Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestScrape(t *testing.T) {
	r := New("v1.2.3", "go1.26")
	viewers := 7.0
	r.Report(func(s Scrape) {
		s.Set(StreamViewers, viewers, "shop-42")
		s.Set(OriginRequests, 3, "playlist", "200")
	})
	text := scrape(t, r)
	for _, want := range []string{
		`pushcart_stream_viewers{stream="shop-42"} 7`,
		`pushcart_origin_requests_total{kind="playlist",status="200"} 3`,
		`pushcart_build_info{go="go1`,
		`version="v1.2.3"} 1`,
		"# TYPE pushcart_origin_requests_total counter",
		"# TYPE pushcart_stream_viewers gauge",
		"process_resident_memory_bytes",
		"go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	viewers = 8
	if text := scrape(t, r); !strings.Contains(text, `pushcart_stream_viewers{stream="shop-42"} 8`) {
		t.Error("the second scrape has the first one's value")
	}
}

// Prometheus' own judgement of names and help.
func TestNames(t *testing.T) {
	r := New("v1.2.3", "go1.26")
	r.Report(func(s Scrape) {
		for _, m := range all {
			if m != BuildInfo {
				s.Set(m, 1, make([]string, strings.Count(labelsOf(m), ",")+min(len(labelsOf(m)), 1))...)
			}
		}
	})
	problems, err := promlint.New(strings.NewReader(scrape(t, r))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "pushcart_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// labelsOf returns the names of m's labels, comma-separated.
func labelsOf(m *Metric) string {
	_, rest, _ := strings.Cut(m.desc.String(), "variableLabels: {")
	labels, _, _ := strings.Cut(rest, "}")
	return labels
}
