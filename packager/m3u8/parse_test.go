package m3u8_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/grafov/m3u8"

	ours "pushcart/packager/m3u8"
)

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",A%d=1", i)
	}
	return b.String()
}

// random makes a playlist of numbers that survive being printed.
func random(r *rand.Rand) *ours.Media {
	tick := func(n int) time.Duration { return time.Duration(r.IntN(n)) * 10 * time.Microsecond }
	ms := time.UnixMilli(1_700_000_000_000 + int64(r.IntN(1e9))).UTC()
	m := &ours.Media{
		Version: 6, TargetDuration: 1 + r.IntN(9), PartTarget: 10*time.Microsecond + tick(1e5), HoldBack: tick(1e6), PartHoldBack: tick(1e6),
		CanSkipUntil: tick(1e6), MediaSequence: r.Int64N(1e6), DiscontinuitySequence: r.Int64N(9), IndependentSegments: r.IntN(2) == 0,
		EndList: r.IntN(2) == 0,
	}
	parts := func() (p []ours.Part) {
		for i := range r.IntN(4) {
			p = append(p, ours.Part{URI: fmt.Sprintf("p%d", i), Duration: tick(1e5), Independent: r.IntN(2) == 0, Gap: r.IntN(2) == 0})
		}
		return p
	}
	segment := func(i int) ours.Segment {
		return ours.Segment{Map: fmt.Sprintf("init%d", i/3), Discontinuity: r.IntN(2) == 0, ProgramDate: ms.Add(time.Duration(i) * time.Second), Parts: parts()}
	}
	if r.IntN(4) == 0 {
		m.IFramesOnly, m.PartTarget = true, 0
		parts = func() []ours.Part { return nil }
	}
	for i := range 1 + r.IntN(9) {
		s := segment(i)
		if r.IntN(3) == 0 {
			s.Range = ours.ByteRange{Offset: r.Int64N(1e6), Length: 1 + r.Int64N(1e6)}
		}
		s.URI, s.Duration, s.Gap = fmt.Sprintf("s%d", i), tick(1e6), r.IntN(2) == 0
		m.Segments = append(m.Segments, s)
	}
	m.Open = segment(len(m.Segments))
	if len(m.Open.Parts) == 0 {
		m.Open = ours.Segment{Map: m.Segments[len(m.Segments)-1].Map}
	}
	if !m.EndList && !m.IFramesOnly {
		m.PreloadPart, m.PreloadMap = "next", "nextinit"
	}
	for i := range r.IntN(3) {
		if m.IFramesOnly {
			break
		}
		m.Reports = append(m.Reports, ours.RenditionReport{URI: "r", LastMSN: r.Int64N(1e6), LastPart: i - 1})
		m.DateRanges = append(m.DateRanges, ours.DateRange{
			ID: fmt.Sprintf("d%d", i), Class: "c", Start: ms, Duration: time.Duration(i-1) * time.Millisecond, Planned: time.Second,
			Attributes: []ours.Attribute{{Name: "X-A", Value: "v, w=x"}},
		})
		m.DateRanges[i].Duration = max(m.DateRanges[i].Duration, -1)
	}
	return m
}

func TestMediaRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		want := random(r)
		text := want.Append(nil)
		got, err := ours.ParseMedia(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%+v\nwant\n%+v\nfrom\n%s", got, want, text)
		}
	}
}

// The merge of any playlist with a delta update of a later one is the later one.
func TestMerge(t *testing.T) {
	parse := func(m *ours.Media) *ours.Media {
		t.Helper()
		p, err := ours.ParseMedia(m.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole := live(20, 3)
	for i := range 3 {
		d := whole.DateRanges[0]
		d.ID = fmt.Sprintf("d%d", i)
		whole.DateRanges = append(whole.DateRanges, d)
	}
	before := *whole
	before.Segments, before.DateRanges = whole.Segments[:18], whole.DateRanges[:3]

	later := *whole
	later.MediaSequence += 2
	later.Segments = whole.Segments[2:]
	later.DateRanges = whole.DateRanges[1:]
	want := parse(&later)

	delta := later
	delta.Skip = &ours.Skip{Segments: 12}
	got, err := ours.Merge(parse(&before), parse(&delta))
	if err != nil {
		t.Fatal(err)
	}
	got.Version = want.Version
	if !reflect.DeepEqual(got, want) {
		t.Errorf("v1: got\n%s\nwant\n%s", got.Append(nil), want.Append(nil))
	}

	delta.Skip = &ours.Skip{Segments: 12, V2: true, Removed: []string{whole.DateRanges[0].ID}}
	delta.DateRanges = later.DateRanges[2:]
	if got, err = ours.Merge(parse(&before), parse(&delta)); err != nil {
		t.Fatal(err)
	}
	got.Version = want.Version
	if !reflect.DeepEqual(got, want) {
		t.Errorf("v2: got\n%s\nwant\n%s", got.Append(nil), want.Append(nil))
	}

	if got, err := ours.Merge(nil, want); got != want || err != nil {
		t.Errorf("an update that skips nothing: %v", err)
	}
	before.Segments = before.Segments[:10]
	if _, err := ours.Merge(parse(&before), parse(&delta)); !errors.Is(err, ours.ErrStale) {
		t.Errorf("a playlist before that is too short: %v, want ErrStale", err)
	}
	if _, err := ours.Merge(parse(&delta), parse(&delta)); err == nil {
		t.Error("a delta update is taken for a whole playlist")
	}
}

func TestParseMediaRefuses(t *testing.T) {
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
	for name, text := range map[string]string{
		"empty":            "",
		"no head":          "\n#EXTM3U\n",
		"BOM":              "\uFEFF" + head,
		"no target":        "#EXTM3U\n",
		"not UTF-8":        head + "\xFF",
		"control":          head + "#\x01\n",
		"number":           head + "#EXT-X-MEDIA-SEQUENCE:-1\n",
		"large number":     head + "#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n",
		"duration":         head + "#EXTINF:1e3,\na\n",
		"long duration":    head + "#EXTINF:99999999999,\na\n",
		"date":             head + "#EXT-X-PROGRAM-DATE-TIME:yesterday\n",
		"uri alone":        head + "a\n",
		"no uri":           head + "#EXTINF:1,\n",
		"range of nothing": head + "#EXT-X-BYTERANGE:0@0\n",
		"range somewhere":  head + "#EXT-X-BYTERANGE:1\n",
		"part range":       head + "#EXT-X-PART:DURATION=1,URI=\"a\",BYTERANGE=\"1\"\n",
		"map range":        head + "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"1\"\n",
		"map behind part":  head + "#EXT-X-PART:DURATION=1,URI=\"a\"\n#EXT-X-MAP:URI=\"a\"\n",
		"part":             head + "#EXT-X-PART:URI=\"a\"\n",
		"part uri":         head + "#EXT-X-PART:DURATION=1\n",
		"part inf":         head + "#EXT-X-PART-INF:PART-TARGET=0\n",
		"hint":             head + "#EXT-X-PRELOAD-HINT:TYPE=KEY,URI=\"a\"\n",
		"two hints":        head + "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"b\"\n",
		"report":           head + "#EXT-X-RENDITION-REPORT:URI=\"a\"\n",
		"skip":             head + "#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999\n",
		"late skip":        head + "#EXTINF:1,\na\n#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n",
		"date range":       head + "#EXT-X-DATERANGE:ID=\"a\"\n",
		"attributes":       head + "#EXT-X-MAP:URI=\"a\"b\n",
		"comma":            head + "#EXT-X-MAP:URI=\"a\",\n",
	} {
		if m, err := ours.ParseMedia([]byte(text)); err == nil {
			t.Errorf("%s is read as %+v", name, m)
		}
	}
}

// grafov/m3u8 knows the tags of the classic playlist, and sees the same in them.
func TestGrafov(t *testing.T) {
	want := live(8, 3)
	want.PartTarget, want.EndList = 0, true
	want.Segments[3].Discontinuity = true
	list, kind, err := m3u8.DecodeFrom(strings.NewReader(string(want.Append(nil))), true)
	if err != nil || kind != m3u8.MEDIA {
		t.Fatalf("kind %v, %v", kind, err)
	}
	got := list.(*m3u8.MediaPlaylist)
	// Its target duration is its own: the longest EXTINF, rounded up.
	if got.SeqNo != uint64(want.MediaSequence) || int(got.Count()) != len(want.Segments) || !got.Closed {
		t.Errorf("sequence %d, %d segments, closed %t", got.SeqNo, got.Count(), got.Closed)
	}
	if got.Map == nil || got.Map.URI != "e7/init.mp4" {
		t.Errorf("map %+v", got.Map)
	}
	for i, w := range want.Segments {
		g := got.Segments[i]
		if g.URI != w.URI || fmt.Sprintf("%.5f", g.Duration) != fmt.Sprintf("%.5f", w.Duration.Seconds()) ||
			g.Discontinuity != w.Discontinuity || !g.ProgramDateTime.Equal(w.ProgramDate.Truncate(time.Millisecond)) {
			t.Errorf("segment %d: %+v, want %+v", i, g, w)
		}
	}

	list, kind, err = m3u8.DecodeFrom(strings.NewReader(string(show().Append(nil))), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatalf("kind %v, %v", kind, err)
	}
	v := list.(*m3u8.MasterPlaylist).Variants[0]
	if v.URI != "v1/live.m3u8" || v.Bandwidth != 2_812_500 || v.AverageBandwidth != 2_628_000 || v.Resolution != "1280x720" ||
		v.Codecs != "avc1.64001f,mp4a.40.2" || v.FrameRate != 29.97 || v.Audio != "aud" || v.VideoRange != "SDR" ||
		len(v.Alternatives) == 0 || v.Alternatives[1].URI != "a2/live.m3u8" { // it lists each several times

		t.Errorf("variant %+v", v)
	}
}

// What is read, written and read again stays the same.
func FuzzParseMedia(f *testing.F) {
	files, err := filepath.Glob("testdata/*.m3u8")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := ours.ParseMedia(b)
		if err != nil {
			return
		}
		if first.Skip != nil {
			first.Skip.Segments = 0 // they are not there to be left out
		}
		text := first.Append(nil)
		second, err := ours.ParseMedia(text)
		if err != nil {
			t.Fatalf("%v in\n%q\nfrom\n%q", err, text, b)
		}
		if again := second.Append(nil); string(again) != string(text) {
			t.Errorf("written as\n%s\nthen as\n%s", text, again)
		}
	})
}

func FuzzParseMultivariant(f *testing.F) {
	f.Add(show().Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := ours.ParseMultivariant(b)
		if err != nil {
			return
		}
		text := first.Append(nil)
		second, err := ours.ParseMultivariant(text)
		if err != nil {
			t.Fatalf("%v in\n%q\nfrom\n%q", err, text, b)
		}
		if again := second.Append(nil); string(again) != string(text) {
			t.Errorf("written as\n%s\nthen as\n%s", text, again)
		}
	})
}
