package packager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

const testScheme = "https://aomedia.org/emsg/ID3"

// convertText makes a marker of a data unit whose bytes are an ID and, behind a space, how long it lasts.
func convertText(t media.Track, au media.AccessUnit) (Marker, bool) {
	id, lasts, ok := strings.Cut(string(au.Data), " ")
	if id == "none" {
		return Marker{}, false
	}
	d := m3u8.DateRange{ID: id, Class: "test", Duration: -1}
	if ok {
		d.Duration, _ = time.ParseDuration(lasts)
	}
	e := fmp4.Event{Duration: fmp4.UnknownDuration, Scheme: testScheme, Value: "test", Data: au.Data}
	return Marker{PTS: au.PTS, Event: &e, Range: &d}, true
}

// markerShow feeds a show with data units, whose times are in milliseconds, among the others.
func markerShow(t *testing.T, tracks []media.Track, units []media.AccessUnit, data map[int64]string) (*Packager, *inspector) {
	t.Helper()
	p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100}, convertText)
	in := inspect(t, p)
	dataTrack := media.Track{ID: 1000, Codec: media.CodecAMF0, Timescale: 1000}
	var rows []media.AccessUnit
	for ms, text := range data {
		rows = append(rows, media.AccessUnit{Track: 1000, DTS: ms, PTS: ms, RandomAccess: true, Data: []byte(text)})
	}
	tracks = append(slices.Clone(tracks), dataTrack)
	feed(t, p, in, tracks, mediatest.Interleave(tracks, units, rows))
	return p, in
}

// events returns the events in a rendition's parts: what, and the presentation time in seconds.
func events(t *testing.T, p *Packager, name string) map[string]float64 {
	t.Helper()
	found := make(map[string]float64)
	pl := p.window.state.Load().renditions[name].state.Load()
	var parts []part
	for _, s := range pl.segments {
		parts = append(parts, s.parts...)
	}
	for _, x := range append(parts, pl.open.parts...) {
		if x.gap {
			continue
		}
		f, err := fmp4.ReadFragment(x.data)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Events {
			if _, twice := found[string(e.Data)]; twice {
				t.Errorf("%s: %q is there twice", name, e.Data)
			}
			if e.PresentationTime < f.BaseTime || e.PresentationTime >= f.End() {
				t.Errorf("%s: %q is at %d, in a part from %d to %d", name, e.Data, e.PresentationTime, f.BaseTime, f.End())
			}
			found[string(e.Data)] = float64(e.PresentationTime) / float64(e.Timescale)
		}
	}
	return found
}

func TestMarkers(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	both := []media.Track{video.Track(), audio.Track()}
	data := map[int64]string{1000: "first", 3_000: "keyframe 2s", 4_567: "middle", 4_568: "close", 9_999: "none", 12_000: "later 1s"}
	for _, tt := range []struct {
		name   string
		tracks []media.Track
		units  []media.AccessUnit
		in     string
		not    string
	}{
		{"both", both, mediatest.Interleave(both, video.Units(600), audio.Units(930)), "v1", "a1"},
		{"video only", both[:1], video.Units(600), "v1", ""},
		{"audio only", both[1:], audio.Units(930), "a1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := markerShow(t, tt.tracks, tt.units, data)
			want := map[string]float64{"first": 1, "keyframe 2s": 3, "middle": 4.567, "close": 4.568, "later 1s": 12}
			got := events(t, p, tt.in)
			for text, at := range want {
				if d := got[text] - at; d > 0.0001 || d < -0.0001 {
					t.Errorf("%q is at %.4f s, want %.4f", text, got[text], at)
				}
			}
			if len(got) != len(want) {
				t.Errorf("events: %v", got)
			}
			text := playlistText(t, p, tt.in, SkipNone)
			for _, line := range []string{
				`#EXT-X-DATERANGE:ID="middle",CLASS="test",START-DATE="2026-11-20T18:00:04.567Z"`,
				`#EXT-X-DATERANGE:ID="keyframe",CLASS="test",START-DATE="2026-11-20T18:00:03.000Z",DURATION=2`,
			} {
				if !strings.Contains(text, line) {
					t.Errorf("there is no %s in\n%s", line, text)
				}
			}
			if tt.not != "" && (len(events(t, p, tt.not)) > 0 || strings.Contains(playlistText(t, p, tt.not, SkipNone), "#EXT-X-DATERANGE")) {
				t.Errorf("%s carries markers", tt.not)
			}
			apply(t, p, stream.Event{Kind: stream.EventInterrupted})
			if !strings.Contains(playlistText(t, p, tt.in, SkipNone), `ID="middle"`) {
				t.Error("the date ranges have gone with the host")
			}
		})
	}
}

// TestLateMarker has a data unit arrive after its part has been published.
func TestLateMarker(t *testing.T) {
	p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100}, convertText)
	v := mediatest.Video{Start: 90000}
	data := media.Track{ID: 1000, Codec: media.CodecAMF0, Timescale: 1000}
	feed(t, p, nil, []media.Track{v.Track(), data}, v.Units(100))
	apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: media.AccessUnit{Track: 1000, PTS: 2000, Data: []byte("late")}})
	for i := 100; i < 120; i++ {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: v.Unit(i)})
	}
	if got := events(t, p, "v1")["late"]; got < 4.3 || got > 4.4 {
		t.Errorf("it is at %.3f s, want the beginning of the next part at 4.333 s", got)
	}
}

// TestDateRangesInDeltas checks what full playlists and delta updates list, and that a client that merges
// them ends up with the same set.
func TestDateRangesInDeltas(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	data := make(map[int64]string)
	for i := range 40 {
		data[int64(1000+3000*i)] = fmt.Sprintf("c%d 3s", i)
	}
	data[2000] = "open"
	p, _ := markerShow(t, []media.Track{video.Track()}, video.Units(30*120), data)
	parse := func(skip Skip) *m3u8.Media {
		m, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", skip)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	full, v1, v2 := parse(SkipNone), parse(SkipSegments), parse(SkipDateRanges)
	first := full.Segments[0].ProgramDate
	for _, d := range full.DateRanges {
		if d.Duration >= 0 && d.Start.Add(d.Duration).Before(first) {
			t.Errorf("%s ended at %v, the playlist begins at %v", d.ID, d.Start.Add(d.Duration), first)
		}
	}
	if n := len(full.DateRanges); n < 11 || n > 13 || full.DateRanges[0].ID != "open" {
		t.Errorf("%d date ranges in a window of 30 s", n)
	}
	if len(v1.DateRanges) != len(full.DateRanges) {
		t.Errorf("the delta update of version 1 has %d of %d ranges", len(v1.DateRanges), len(full.DateRanges))
	}
	if n := len(v2.DateRanges); n < 4 || n > 5 {
		t.Errorf("the delta update of version 2 has %d ranges; 12 s hold 4", n)
	}
	if n := len(v2.Skip.Removed); n < 3 || n > 5 {
		t.Errorf("it tells of %d removed ranges: %q", n, v2.Skip.Removed)
	}
}
