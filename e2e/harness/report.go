package harness

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Report is what the observer in a page saw (browser/observer.js). Wall times are milliseconds since 1970.
type Report struct {
	Token      float64
	Opened     float64 // wall time of the navigation
	Now        float64
	Phase      string
	Headline   string
	Frames     []Frame
	Events     []Event
	Samples    []Sample
	Cards      []Cards // each change
	Width      int
	Height     int
	Muted      bool
	Time       float64
	Dropped    int
	AudioBytes int64
	VideoBytes int64

	Console     []string
	Elsewhere   []string // requests to other servers
	Navigations int
}

// Cards is what the product cards of a page say at a moment, and the picture that is on the screen with them.
type Cards struct {
	At     float64 // wall time
	Text   string  // titles and texts, in their order, with | between them
	Stamp  float64 // wall time drawn into the picture; 0 if it could not be read
	Number int     // of the frame; -1 if it could not be read
	Time   float64 // the video's, in seconds
}

// Frame is a picture on the screen.
type Frame struct {
	Shown     float64 // wall time
	MediaTime float64 // seconds
	Stamp     float64 // wall time drawn into it; 0 if it could not be read
	Number    int     // of the frame; -1 if it could not be read
}

// UnmarshalJSON reads the observer's short form, an array.
func (f *Frame) UnmarshalJSON(b []byte) error {
	var a [4]float64
	if err := json.Unmarshal(b, &a); err != nil {
		return err
	}
	*f = Frame{a[0], a[1], a[2], int(a[3])}
	return nil
}

// Event is an event of the video element.
type Event struct {
	At   float64
	Type string
	Time float64
	Rate float64
}

func (e Event) String() string {
	return fmt.Sprintf("%s %s@%.2f x%.2f", time.UnixMilli(int64(e.At)).Format("05.000"), e.Type, e.Time, e.Rate)
}

// Sample is the player's state, four times a second. Latency, target and what is ahead are in seconds.
type Sample struct {
	At      float64
	Time    float64
	Rate    float64
	Phase   string
	Muted   bool
	Paused  bool
	Latency float64
	Target  float64
	Ahead   float64
	ByDate  float64
	Stalls  int
}

// sampleMs is the time between two samples of a page that is not short of time.
const sampleMs = 250

// freezeMs is the time between two pictures from which on a viewer sees a halt.
const freezeMs = 250

// Figures sum up a stretch of play.
type Figures struct {
	Frames       int     `json:"frames"`
	Unreadable   int     `json:"unreadable"`
	Backwards    int     `json:"backwards"`
	Freezes      int     `json:"freezes"`
	LongestMs    float64 `json:"longest_ms"` // between two pictures
	GlassP50     float64 `json:"glass_p50_s"`
	GlassP95     float64 `json:"glass_p95_s"`
	PlayerP50    float64 `json:"player_p50_s"` // by the player's own account
	ByDateP50    float64 `json:"by_date_p50_s"`
	TargetS      float64 `json:"target_s"`
	FirstFrameMs float64 `json:"first_frame_ms"` // from the navigation
	Dropped      int     `json:"dropped"`
}

// Figures computes the figures of the stretch that begins at wall time from (ms); 0 for all.
func (r Report) Figures(from float64) Figures {
	f := Figures{Dropped: r.Dropped}
	if len(r.Frames) > 0 {
		f.FirstFrameMs = r.Frames[0].Shown - r.Opened
	}
	var glass []float64
	var before *Frame
	for i := range r.Frames {
		fr := &r.Frames[i]
		if fr.Shown < from {
			continue
		}
		f.Frames++
		if fr.Stamp == 0 {
			f.Unreadable++
		} else {
			glass = append(glass, (fr.Shown-fr.Stamp)/1000)
		}
		if before != nil {
			gap := fr.Shown - before.Shown
			f.LongestMs = max(f.LongestMs, gap)
			if gap > freezeMs {
				f.Freezes++
			}
			if fr.Number >= 0 && fr.Number < before.Number {
				f.Backwards++
			}
		}
		before = fr
	}
	var player, byDate []float64
	for _, s := range r.Samples {
		if s.At >= from && s.Phase == "playing" {
			if s.Latency > 0 {
				player, f.TargetS = append(player, s.Latency), s.Target
			}
			if s.ByDate > 0 {
				byDate = append(byDate, s.ByDate)
			}
		}
	}
	f.GlassP50, f.GlassP95 = Quantile(glass, 0.5), Quantile(glass, 0.95)
	f.PlayerP50, f.ByDateP50 = Quantile(player, 0.5), Quantile(byDate, 0.5)
	return f
}

// Had reports whether the video element had an event between two wall times (ms).
func (r Report) Had(event string, from, to float64) bool {
	return slices.ContainsFunc(r.Events, func(e Event) bool { return e.Type == event && e.At >= from && e.At <= to })
}

// Count counts events of the video element.
func (r Report) Count(event string) (n int) {
	for _, e := range r.Events {
		if e.Type == event {
			n++
		}
	}
	return n
}

// String is one line for a test's output.
func (f Figures) String() string {
	return fmt.Sprintf("glass to glass %.3f s (p95 %.3f), player %.3f s of %.3f, first frame %.0f ms, %d frames, %d freezes (longest %.0f ms), %d unreadable, %d dropped",
		f.GlassP50, f.GlassP95, f.PlayerP50, f.TargetS, f.FirstFrameMs, f.Frames, f.Freezes, f.LongestMs, f.Unreadable, f.Dropped)
}

// Median returns the median; 0 of nothing.
func Median(x []float64) float64 { return Quantile(x, 0.5) }

// Quantile returns what a share q of x is at most; 0 of nothing.
func Quantile(x []float64, q float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return x[min(len(x)-1, int(math.Floor(q*float64(len(x)))))]
}

// Artefact returns the path of a file that is kept after the test, in build/e2e beside the sources.
func Artefact(t testing.TB, name string) string {
	out := filepath.Join(filepath.Dir(dir()), "build", "e2e")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, strings.NewReplacer("/", "-", " ", "_").Replace(t.Name())+"-"+name)
}

// KeepJSON writes v to an artefact.
func KeepJSON(t testing.TB, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(Artefact(t, name), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WallMs is t as the reports count.
func WallMs(t time.Time) float64 { return float64(t.UnixNano()) / 1e6 }
