package m3u8_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushcart/packager/m3u8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (run with -update and look at the diff); got:\n%s", name, got)
	}
}

// live is a playlist of n whole segments of 2.13333 s and an open one with two parts; the last parted
// segments have parts.
func live(n, parted int) *m3u8.Media {
	const segment, part, perSegment = 32 * time.Second / 15, 8 * time.Second / 15, 4
	m := &m3u8.Media{
		TargetDuration: 2, PartTarget: 533340 * time.Microsecond,
		HoldBack: 6400 * time.Millisecond, PartHoldBack: 1601 * time.Millisecond, CanSkipUntil: 12800 * time.Millisecond,
		MediaSequence: 4104, DiscontinuitySequence: 3,
	}
	start := time.Date(2026, 11, 20, 18, 0, 8, 533_333_334, time.UTC)
	for i := range n + 1 {
		s := m3u8.Segment{Map: "e7/init.mp4", ProgramDate: start.Add(32 * time.Second * time.Duration(i) / 15)}
		if i >= n-parted {
			for p := range perSegment {
				s.Parts = append(s.Parts, m3u8.Part{
					URI:      fmt.Sprintf("e7/%d.%d.m4s", 4104+i, p),
					Duration: part, Independent: p%2 == 0,
				})
			}
		}
		if i == n {
			s.Parts = s.Parts[:2]
			m.Open = s
			m.PreloadPart = fmt.Sprintf("e7/%d.2.m4s", 4104+i)
			break
		}
		s.URI, s.Duration = fmt.Sprintf("e7/%d.m4s", 4104+i), segment
		m.Segments = append(m.Segments, s)
	}
	m.Reports = []m3u8.RenditionReport{
		{URI: "../v2/live.m3u8", LastMSN: int64(4104 + n), LastPart: 1},
		{URI: "../a1/live.m3u8", LastMSN: int64(4104 + n), LastPart: 1},
	}
	m.DateRanges = []m3u8.DateRange{{
		ID: "c1042.1", Class: "com.example.overlay", Start: start.Add(13500 * time.Millisecond), Duration: 20 * time.Second,
		Attributes: []m3u8.Attribute{{"X-COM-EXAMPLE-REF", "c1042/1"}, {"X-COM-EXAMPLE-H", "9f3c2a7b61d0e4c8"}},
	}}
	return m
}

func TestMediaGolden(t *testing.T) {
	golden(t, "live.m3u8", live(8, 3).Append(nil))

	delta := live(8, 3)
	delta.Skip = &m3u8.Skip{Segments: 2, V2: true, Removed: []string{"c1040.1", "c1041.1"}}
	golden(t, "delta-v2.m3u8", delta.Append(nil))

	delta.Skip = &m3u8.Skip{Segments: 2}
	golden(t, "delta.m3u8", delta.Append(nil))

	ended := live(4, 1)
	ended.EndList, ended.Open = true, m3u8.Segment{}
	golden(t, "ended.m3u8", ended.Append(nil))

	classic := live(4, 2)
	classic.PartTarget, classic.IndependentSegments = 0, true
	golden(t, "classic.m3u8", classic.Append(nil))

	keys := live(4, 2)
	keys.PartTarget, keys.IFramesOnly, keys.Open, keys.Reports, keys.DateRanges, keys.PreloadPart = 0, true, m3u8.Segment{}, nil, nil, ""
	for i := range keys.Segments {
		keys.Segments[i].Range = m3u8.ByteRange{Offset: 68, Length: 51_000 + int64(i)}
	}
	golden(t, "keys.m3u8", keys.Append(nil))

	// A host came back with another resolution while the window ran; the open segment is a new epoch's.
	change := live(6, 3)
	change.Segments[1].Gap, change.Segments[4].Discontinuity, change.Segments[4].Map = true, true, "e8/init.mp4"
	change.Segments[5].Map = "e8/init.mp4"
	change.Segments[4].Parts[3].Gap = true
	change.Open.Discontinuity, change.Open.Map = true, "e9/init.mp4"
	change.PreloadMap = "e10/init.mp4"
	change.Reports[1].LastPart = -1
	change.DateRanges = []m3u8.DateRange{
		{ID: "open", Start: change.Open.ProgramDate, Duration: -1, Planned: 1500 * time.Millisecond},
		{ID: "empty", Start: change.Open.ProgramDate, Duration: 0},
	}
	golden(t, "change.m3u8", change.Append(nil))
}

// Before the first part of an open segment nothing of it is written: its MAP would have no segment.
func TestOpenWithoutParts(t *testing.T) {
	m := live(3, 0)
	m.Open.Parts, m.Open.Discontinuity = nil, true
	if text := string(m.Append(nil)); strings.Contains(text, "DISCONTINUITY\n") || strings.Count(text, "PROGRAM-DATE-TIME") != 3 {
		t.Errorf("something is written for it:\n%s", text)
	}
}

// A part's duration may not exceed the target as printed, whatever its nanoseconds are, and hold-backs
// may not fall below their minimum, which is a multiple of it (rfc8216bis 4.4.3.8).
func TestRounding(t *testing.T) {
	for _, ns := range []time.Duration{1, 9999, 10000, 10001, 213_400_000, 213_399_999, 341_333_333, 533_333_334, 999_999_999, 1_003_000_000} {
		m := live(3, 3)
		m.PartTarget, m.PartHoldBack = ns, 3*ns
		for i := range m.Segments {
			for j := range m.Segments[i].Parts {
				m.Segments[i].Parts[j].Duration = ns
			}
		}
		text := string(m.Append(nil))
		p, err := m3u8.ParseMedia([]byte(text))
		if ns < 10*time.Microsecond {
			continue // a target that prints as nothing; the numbers below would be zero
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Segments[0].Parts[0].Duration > p.PartTarget {
			t.Errorf("%d ns: part of %v, target %v", ns, p.Segments[0].Parts[0].Duration, p.PartTarget)
		}
		if p.PartHoldBack < 3*p.PartTarget {
			t.Errorf("%d ns: hold-back %v, target %v", ns, p.PartHoldBack, p.PartTarget)
		}
	}
}

func TestNumbers(t *testing.T) {
	m := &m3u8.Media{
		TargetDuration: 4, PartTarget: 300 * time.Millisecond, PartHoldBack: time.Second, HoldBack: 12 * time.Second,
		Segments: []m3u8.Segment{{URI: "a", Duration: 1999995 * time.Microsecond}, {URI: "b", Duration: 1999994 * time.Microsecond}},
	}
	text := string(m.Append(nil))
	for _, want := range []string{
		"PART-TARGET=0.3\n", "HOLD-BACK=12,PART-HOLD-BACK=1\n", "#EXTINF:2.00000,\na\n", "#EXTINF:1.99999,\nb\n", "EXT-X-VERSION:3\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// No string gets out of its place.
func TestEscaping(t *testing.T) {
	const evil = "a\"b\r\n#EXT-X-ENDLIST\n\x00\u0085\uFEFF\xFFé"
	m := live(2, 1)
	m.Segments[0].URI = "#" + evil
	m.Segments[1].Map, m.Segments[1].Parts[0].URI, m.PreloadPart = evil, evil, evil
	m.Reports[0].URI = evil
	m.DateRanges[0].ID, m.DateRanges[0].Class = evil, evil
	m.DateRanges[0].Attributes = []m3u8.Attribute{
		{"X-A", evil}, {"X-lower", "v"}, {"X-", "v"}, {"Y-A", "v"}, {"X-A=1,B", "v"}, {"", "v"}, {"X-" + evil, "v"},
	}
	m.Skip = &m3u8.Skip{V2: true, Removed: []string{evil, "\t"}}
	text := m.Append(nil)
	p, err := m3u8.ParseMedia(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	const uri, quoted = "a%22b%0D%0A#EXT-X-ENDLIST%0A%00%C2%85%EF%BB%BF%FF%C3%A9", "a'b  #EXT-X-ENDLIST    \uFFFDé"
	if p.EndList || len(p.Segments) != 2 || p.Segments[0].URI != "%23"+uri || p.Segments[1].Map != uri {
		t.Errorf("read back as %+v", p)
	}
	if d := p.DateRanges[0]; d.ID != quoted || len(d.Attributes) != 1 || d.Attributes[0].Value != quoted {
		t.Errorf("date range %q", d)
	}
	if r := p.Skip.Removed; len(r) != 2 || r[0] != quoted {
		t.Errorf("removed %q", r)
	}
}

func TestAppendKeepsPrefix(t *testing.T) {
	m := live(3, 1)
	if got := string(m.Append([]byte("x"))); got != "x"+string(m.Append(nil)) {
		t.Error("what was in dst is not in front of the playlist")
	}
	buf := make([]byte, 0, 1<<16)
	if n := testing.AllocsPerRun(100, func() { m.Append(buf) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMedia(b *testing.B) {
	for _, c := range []struct {
		name             string
		segments, parted int
		cues             int
	}{
		{"30s", 15, 4, 0},
		{"2h", 3600, 4, 0},
		{"2h-500cues", 3600, 4, 500},
	} {
		m := live(c.segments, c.parted)
		for range c.cues {
			m.DateRanges = append(m.DateRanges, m.DateRanges[0])
		}
		b.Run(c.name, func(b *testing.B) {
			buf := m.Append(nil)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf = m.Append(buf[:0])
			}
		})
	}
	delta := live(3600, 4)
	delta.Skip = &m3u8.Skip{Segments: 3590, V2: true}
	b.Run("2h-delta", func(b *testing.B) {
		var buf []byte
		for b.Loop() {
			buf = delta.Append(buf[:0])
		}
	})
}
