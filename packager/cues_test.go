package packager

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/cue"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// mark returns a cue of slot main that is up from from to to, in seconds; to may be cue.Open.
func mark(id string, from, to float64) cue.Mark {
	m := cue.Mark{ID: id, Rev: 1, Kind: "product", Slot: "main", Start: int64(from * cue.Timescale), End: cue.Open, Hash: "0123456789abcdef"}
	if to != cue.Open {
		m.End = int64(to * cue.Timescale)
	}
	return m
}

// at returns a unit that the show hears of at media time joined.
func at(joined float64, m cue.Mark) media.AccessUnit {
	au := m.Unit()
	au.DTS = int64(joined * cue.Timescale)
	return au
}

// cueShow feeds a show with cues among the units.
func cueShow(t *testing.T, tracks []media.Track, units []media.AccessUnit, cues ...media.AccessUnit) (*Packager, *inspector) {
	t.Helper()
	p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100})
	in := inspect(t, p)
	tracks = append(slices.Clone(tracks), cue.Track)
	slices.SortStableFunc(cues, func(a, b media.AccessUnit) int { return int(a.DTS - b.DTS) })
	feed(t, p, in, tracks, mediatest.Interleave(tracks, units, cues))
	return p, in
}

// message is what an event says.
type message struct {
	Op    string
	ID    string
	Rev   int
	Slot  string
	Start int64
	End   *int64
	At    int64
	N, Of int
	Cues  [][]any

	seconds float64 // presentation time
	event   fmp4.Event
}

// messages returns what the events in a rendition's parts say, in order.
func messages(t *testing.T, p *Packager, name string) (list []message) {
	t.Helper()
	pl := p.window.state.Load().renditions[name].state.Load()
	var parts []part
	for _, s := range pl.segments {
		parts = append(parts, s.parts...)
	}
	ids := make(map[uint32]bool)
	for _, x := range append(parts, pl.open.parts...) {
		if x.gap {
			continue
		}
		f, err := fmp4.ReadFragment(x.data)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Events {
			if e.PresentationTime < f.BaseTime || e.PresentationTime >= f.End() {
				t.Errorf("%s: event %d is at %d, in a part from %d to %d", name, e.ID, e.PresentationTime, f.BaseTime, f.End())
			}
			if ids[e.ID] {
				t.Errorf("%s: event id %d is there twice", name, e.ID)
			}
			ids[e.ID] = true
			description, value, err := fmp4.ReadID3TXXX(e.Data)
			if err != nil || description != cueClass || e.Scheme != fmp4.SchemeID3 || e.Value != cueScheme {
				t.Fatalf("%s: %q %q %v", name, e.Scheme, e.Data, err)
			}
			if len(value) > 1024 {
				t.Errorf("%s: a message of %d bytes", name, len(value))
			}
			m := message{seconds: float64(e.PresentationTime) / float64(e.Timescale), event: e}
			if err := json.Unmarshal([]byte(value), &m); err != nil {
				t.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

// shown returns when each cue's own event is, in seconds.
func shown(t *testing.T, p *Packager, name string) map[string]float64 {
	t.Helper()
	found := make(map[string]float64)
	for _, m := range messages(t, p, name) {
		if m.Op != "cue" {
			continue
		}
		if _, twice := found[m.ID]; twice {
			t.Errorf("%s: %s is there twice", name, m.ID)
		}
		found[m.ID] = m.seconds
	}
	return found
}

func near(a, b float64) bool { return a-b < 0.0001 && b-a < 0.0001 }

func TestCuesReachPlayers(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	both := []media.Track{video.Track(), audio.Track()}
	cues := []media.AccessUnit{
		at(0, mark("first", 1, cue.Open)), at(0, mark("keyframe", 3, 5)), at(4, mark("middle", 4.567, cue.Open)),
		at(4.6, mark("late", 4.5, 9)), at(5, mark("future", 12, 13)), at(9, mark("far", 500, cue.Open)),
	}
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
			p, _ := cueShow(t, tt.tracks, tt.units, cues...)
			want := map[string]float64{"first": 1, "keyframe": 3, "middle": 4.567, "future": 12}
			got := shown(t, p, tt.in)
			for id, at := range want {
				if !near(got[id], at) {
					t.Errorf("%q is at %.4f s, want %.4f", id, got[id], at)
				}
			}
			if late := got["late"]; late < 4.5 || late > 5 {
				t.Errorf("a cue that came late is at %.3f s", late)
			}
			if len(got) != len(want)+1 {
				t.Errorf("events: %v", got)
			}
			text := playlistText(t, p, tt.in, SkipNone)
			for _, line := range []string{
				`#EXT-X-DATERANGE:ID="middle.1",CLASS="org.pushcart.cue",START-DATE="2026-11-20T18:00:04.567Z",X-ORG-PUSHCART-KIND="product",X-ORG-PUSHCART-SLOT="main",X-ORG-PUSHCART-H="0123456789abcdef"` + "\n",
				`#EXT-X-DATERANGE:ID="keyframe.1",CLASS="org.pushcart.cue",START-DATE="2026-11-20T18:00:03.000Z",X-`,
				`#EXT-X-DATERANGE:ID="keyframe.1",CLASS="org.pushcart.cue",START-DATE="2026-11-20T18:00:03.000Z",DURATION=2.000,X-`,
				`ID="far.1"`,
			} {
				if !strings.Contains(text, line) {
					t.Errorf("there is no %s in\n%s", line, text)
				}
			}
			if strings.Contains(text, "END-ON-NEXT") {
				t.Errorf("a cue is listed without an end of its own:\n%s", text)
			}
			if tt.not != "" && (len(messages(t, p, tt.not)) > 0 || strings.Contains(playlistText(t, p, tt.not, SkipNone), "#EXT-X-DATERANGE")) {
				t.Errorf("%s carries cues", tt.not)
			}
			apply(t, p, stream.Event{Kind: stream.EventInterrupted})
			if !strings.Contains(playlistText(t, p, tt.in, SkipNone), `ID="middle.1"`) {
				t.Error("the date ranges have gone with the host")
			}
			apply(t, p, stream.Event{Kind: stream.EventEnded})
			checkClosed(t, playlistText(t, p, tt.in, SkipNone))
		})
	}
}

// checkClosed checks that all ranges of a show that is over have an end.
func checkClosed(t *testing.T, text string) {
	t.Helper()
	m, err := m3u8.ParseMedia([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	closed := make(map[string]bool)
	for _, d := range m.DateRanges {
		closed[d.ID] = closed[d.ID] || d.Duration >= 0
	}
	for id, is := range closed {
		if !is {
			t.Errorf("the show is over, and %s is still open", id)
		}
	}
	if len(closed) == 0 {
		t.Error("no date range is left")
	}
}

// TestStateInEachSegment holds the state in the first part of each segment against the cues.
func TestStateInEachSegment(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	rng := rand.New(rand.NewPCG(1, 2))
	var cues []cue.Mark
	var units []media.AccessUnit
	for i := range 60 {
		from := 1 + float64(rng.IntN(25*90_000))/cue.Timescale
		m := mark(fmt.Sprintf("c%02d", i), from, from+float64(rng.IntN(10*90_000))/cue.Timescale+0.1)
		cues = append(cues, m)
		units = append(units, at(max(0, from-1), m))
	}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(30*28), units...)
	states := make(map[float64][]string)
	chunks := make(map[float64]int)
	for _, m := range messages(t, p, "v1") {
		if m.Op != "state" {
			continue
		}
		if m.N != chunks[m.seconds] {
			t.Errorf("chunk %d of %d follows %d others", m.N, m.Of, chunks[m.seconds])
		}
		chunks[m.seconds]++
		for _, c := range m.Cues {
			states[m.seconds] = append(states[m.seconds], c[0].(string))
		}
		if want := epochStart.Add(time.Duration(m.seconds * float64(time.Second))).UnixMilli(); m.At != want {
			t.Errorf("the state at %.3f s says it is from %d, want %d", m.seconds, m.At, want)
		}
	}
	full := 0
	for second := 1.0; second <= 27; second += 2 {
		var want []string
		for _, c := range cues {
			if tick := int64(second * cue.Timescale); c.Start <= tick && tick < c.End {
				want = append(want, c.ID)
			}
		}
		slices.Sort(want)
		got := slices.Sorted(slices.Values(states[second]))
		if !slices.Equal(got, want) {
			t.Errorf("the segment at %.0f s says %q, want %q", second, got, want)
		}
		full = max(full, len(want))
	}
	if full < 16 {
		t.Errorf("at most %d cues were up: the test does not reach a second chunk", full)
	}
}

// TestStateOfNothing has a cue end without another: players that hear only what is in band learn it from an empty
// state, once.
func TestStateOfNothing(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(30*16),
		at(1, mark("open", 2, cue.Open)), at(5, mark("open", 2, 5.5)), // taken back while it is up
		at(9, mark("short", 11.2, 12.1))) // within one segment
	var states []string
	for _, m := range messages(t, p, "v1") {
		if m.Op == "state" {
			states = append(states, fmt.Sprintf("%g:%d", m.seconds, len(m.Cues)))
			if m.Cues == nil {
				t.Errorf("the state at %g s has no list", m.seconds)
			}
		}
	}
	if want := []string{"3:1", "5:1", "7:0", "13:0"}; !slices.Equal(states, want) {
		t.Errorf("states (second:cues) %q, want %q", states, want)
	}
}

// TestCuesChange has ends that come later, earlier, and never.
func TestCuesChange(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(30*15),
		at(1, mark("ended", 2, cue.Open)), at(4, mark("ended", 2, 4.5)), at(6, mark("ended", 2, 9)), // the last is too late
		at(1, mark("shortened", 2, 12)), at(5, mark("shortened", 2, 6.25)),
		at(1, mark("lengthened", 2, 6)), at(5, mark("lengthened", 2, 8)),
		at(1, mark("withdrawn", 8, cue.Open)), at(5, mark("withdrawn", 8, 8)),
		at(1, mark("twice", 3, 5)), at(2, mark("twice", 3, 5)), at(10, mark("twice", 3, 5)),
	)
	want := map[string]time.Duration{"ended.1": 2500 * time.Millisecond, "shortened.1": 4250 * time.Millisecond,
		"lengthened.1": 6 * time.Second, "withdrawn.1": 0, "twice.1": 2 * time.Second}
	m, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	tags := make(map[string]int)
	for _, d := range m.DateRanges {
		tags[d.ID]++
		if d.Duration >= 0 && d.Duration != want[d.ID] {
			t.Errorf("%s lasts %v, want %v", d.ID, d.Duration, want[d.ID])
		}
	}
	for id := range want {
		if tags[id] != 2 {
			t.Errorf("%s has %d tags, want one that opens it and one that closes it", id, tags[id])
		}
	}
	if got := shown(t, p, "v1"); len(got) != 4 {
		t.Errorf("events: %v", got)
	}
	if n := len(p.cues.live); n != 0 {
		t.Errorf("%d cues are kept though all are over", n)
	}
}

// TestCuesAcrossAReturn has cues begin before, in and after a host's absence, and in a show that this one
// goes on with.
func TestCuesAcrossAReturn(t *testing.T) {
	p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100})
	say := func(m cue.Mark) { apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: m.Unit()}) }
	say(mark("former", -7, cue.Open)) // before anything else
	v := mediatest.Video{Start: 90000}
	tracks := []media.Track{v.Track(), cue.Track}
	say(mark("before", 2, cue.Open))
	feed(t, p, nil, tracks, v.Units(30*4))
	say(mark("over", 5, 20))
	for _, au := range v.Units(30 * 5)[30*4:] {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
	}
	apply(t, p, stream.Event{Kind: stream.EventInterrupted})
	say(mark("in", 12, cue.Open))
	if !strings.Contains(playlistText(t, p, "v1", SkipNone), `ID="in.1"`) {
		t.Error("a cue of the absence is not listed at once")
	}
	back := mediatest.Video{Start: 25 * 90000}
	feed(t, p, nil, tracks, back.Units(30*4))
	say(mark("after", 29.1, cue.Open))
	more := mediatest.Video{Start: 25 * 90000}.Units(30 * 8)[30*4:]
	for _, au := range more {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
	}
	got := shown(t, p, "v1")
	for id, at := range map[string]float64{"before": 2, "over": 5, "after": 29.1} {
		if d := got[id] - at; d < 0 || d > 0.5 {
			t.Errorf("%s is at %.3f s, want %.3f", id, got[id], at)
		}
	}
	for _, id := range []string{"former", "in"} {
		if _, ok := got[id]; ok {
			t.Errorf("%s has an event at %.3f s: there was no frame at its start", id, got[id])
		}
	}
	for _, m := range messages(t, p, "v1") {
		if m.Op != "state" || m.seconds != 25 {
			continue
		}
		var ids []string
		for _, c := range m.Cues {
			ids = append(ids, c[0].(string))
		}
		if want := []string{"former", "before", "in"}; !slices.Equal(ids, want) {
			t.Errorf("on the host's return %q are up, want %q", ids, want)
		}
	}
	text := playlistText(t, p, "v1", SkipNone)
	if want := `ID="former.1",CLASS="org.pushcart.cue",START-DATE="2026-11-20T17:59:53.000Z"`; !strings.Contains(text, want) {
		t.Errorf("there is no %s in\n%s", want, text)
	}
}

// TestCuesMeet has one cue follow another at times that milliseconds can't express: their ranges neither
// overlap nor leave a hole.
func TestCuesMeet(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	var units []media.AccessUnit
	for i := range 20 {
		m := mark(fmt.Sprintf("c%02d", i), 0, cue.Open)
		m.Start, m.End = int64(90_000+i*45_001), int64(90_000+(i+1)*45_001)
		units = append(units, at(0, m))
	}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(30*14), units...)
	m, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	var end time.Time
	slices.SortStableFunc(m.DateRanges, func(a, b m3u8.DateRange) int { return a.Start.Compare(b.Start) })
	n := 0
	for _, d := range m.DateRanges {
		if d.Duration < 0 {
			continue
		}
		if n > 0 && !d.Start.Equal(end) {
			t.Errorf("%s starts at %v, the one before ends at %v", d.ID, d.Start, end)
		}
		end = d.Start.Add(d.Duration)
		n++
	}
	if n != 20 {
		t.Errorf("%d ranges are closed", n)
	}
}

// TestDateRangesInDeltas checks what full playlists and delta updates list, and that a client that merges
// them ends up with the same set.
func TestDateRangesInDeltas(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	units := []media.AccessUnit{at(1, mark("open", 2, cue.Open))}
	for i := range 40 {
		from := float64(1 + 3*i)
		units = append(units, at(from, mark(fmt.Sprintf("c%d", i), from, from+3)))
	}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(30*120), units...)
	parse := func(skip Skip) *m3u8.Media {
		m, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", skip)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ids := func(m *m3u8.Media) map[string]bool {
		set := make(map[string]bool)
		for _, d := range m.DateRanges {
			set[d.ID] = true
		}
		return set
	}
	full, v1, v2 := parse(SkipNone), parse(SkipSegments), parse(SkipDateRanges)
	first := full.Segments[0].ProgramDate
	for _, d := range full.DateRanges {
		if d.Duration >= 0 && d.Start.Add(d.Duration).Before(first.Add(-2*time.Second)) {
			t.Errorf("%s ended at %v, the playlist begins at %v", d.ID, d.Start.Add(d.Duration), first)
		}
	}
	if set := ids(full); len(set) < 11 || len(set) > 13 || !set["open.1"] {
		t.Errorf("%d date ranges in a window of 30 s: %v", len(set), set)
	}
	if len(v1.DateRanges) != len(full.DateRanges) {
		t.Errorf("the delta update of version 1 has %d of %d tags", len(v1.DateRanges), len(full.DateRanges))
	}
	if n := len(ids(v2)); n < 4 || n > 6 || ids(v2)["open.1"] {
		t.Errorf("the delta update of version 2 has %d ranges; 12 s touch 5", n)
	}
	if n := len(v2.Skip.Removed); n < 5 || n > 7 {
		t.Errorf("it tells of %d removed ranges, and 16 to 20 s have 5 to 7: %q", n, v2.Skip.Removed)
	}
}

// TestDeltaAcrossAnAbsence has cues come and go around a host's absence that is longer than what deltas skip: a
// client that has waited for the next part all the time gets all of them by a delta update.
func TestDeltaAcrossAnAbsence(t *testing.T) {
	p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100})
	say := func(m cue.Mark) { apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: m.Unit()}) }
	v := mediatest.Video{Start: 90000}
	tracks := []media.Track{v.Track(), cue.Track}
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: tracks})
	for i, au := range v.Units(30 * 50) {
		if i%30 == 0 {
			say(mark(fmt.Sprintf("c%d", i/30), float64(i/30), float64(i/30)+1.5))
		}
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
	}
	apply(t, p, stream.Event{Kind: stream.EventInterrupted})
	before, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	say(mark("in", 60, cue.Open))
	back := mediatest.Video{Start: 80 * 90000}
	feed(t, p, nil, tracks, back.Units(30*5))
	update, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipDateRanges)))
	if err != nil || update.Skip == nil {
		t.Fatalf("no delta update: %v", err)
	}
	merged, err := m3u8.Merge(before, update)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	ids := func(m *m3u8.Media) (list []string) {
		for _, d := range m.DateRanges {
			list = append(list, d.ID)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	if got, want := ids(merged), ids(whole); !slices.Equal(got, want) || !slices.Contains(got, "in.1") {
		t.Errorf("merged there are %q, in the whole playlist %q", got, want)
	}
}

// TestManyCues keeps to its bounds, and lists the newest.
func TestManyCues(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	var units []media.AccessUnit
	for i := range maxLiveCues + 500 {
		units = append(units, at(1, mark(fmt.Sprintf("c%04d", i), 2+float64(i)/10_000, cue.Open)))
	}
	p, _ := cueShow(t, []media.Track{video.Track()}, video.Units(90), units...)
	if n := len(p.cues.live); n != maxLiveCues {
		t.Errorf("%d cues are live", n)
	}
	closed := 0
	for _, d := range p.cues.ranges.listed {
		if d.Duration >= 0 {
			closed++
		}
	}
	if closed != 500 {
		t.Errorf("%d ranges are closed, want those that had to make room", closed)
	}
}

func BenchmarkCues(b *testing.B) {
	for _, n := range []int{0, 1, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			v := mediatest.Video{Start: 90000}
			p := New(Config{}, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100})
			p.Apply(stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{v.Track(), cue.Track}})
			for i := range n {
				p.Apply(stream.Event{Kind: stream.EventUnit, Unit: mark(fmt.Sprint(i), 1.5, cue.Open).Unit()})
			}
			units := v.Units(30 * 60)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				au := units[i%len(units)]
				shift := int64(i/len(units)) * int64(len(units)) * 3000
				au.DTS += shift
				au.PTS += shift
				p.Apply(stream.Event{Kind: stream.EventUnit, Unit: au})
			}
		})
	}
}

// TestThreeHoursOfCues runs a show with a cue every 3 s to its third hour. Playlists stay small, and who joins
// then finds the card that is up in the first part of the newest segment.
func TestThreeHoursOfCues(t *testing.T) {
	for _, tt := range []struct {
		window      time.Duration
		full, delta int // largest size, compressed
	}{
		{0, 8 << 10, 8 << 10},
		{3 * time.Hour, 0, 8 << 10}, // the list of segments alone is larger, without any cue
	} {
		t.Run(fmt.Sprint(tt.window), func(t *testing.T) {
			const hours = 3
			p := New(Config{Window: tt.window}, Show{Epoch: "e1mi3gw0a7", Start: epochStart, FirstMSN: 91_000_000})
			v := mediatest.Video{Start: 90000, RateNum: 5, RateDen: 1, GOP: 10}
			apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{v.Track(), cue.Track}})
			n := 0
			for i := range hours * 3600 * 5 {
				for float64(n*3) < float64(i)/5+8 { // as far ahead as they are posted
					m := mark(fmt.Sprintf("product-%d", n), float64(1+3*n), float64(4+3*n))
					m.Hash = fmt.Sprintf("%016x", rand.Uint64())
					apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: m.Unit()})
					n++
				}
				apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: v.Unit(i)})
			}
			document := func(skip Skip) *Document {
				d, err := p.Window().Playlist(t.Context(), "v1", -1, -1, skip)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			full, delta := document(SkipNone), document(SkipDateRanges)
			t.Logf("full playlist %d bytes, compressed %d; delta update %d, compressed %d",
				len(full.Text()), len(full.Gzip()), len(delta.Text()), len(delta.Gzip()))
			if z := len(full.Gzip()); tt.full > 0 && z > tt.full {
				t.Errorf("the playlist has %d bytes, compressed", z)
			}
			if z := len(delta.Gzip()); z > tt.delta {
				t.Errorf("the delta update has %d bytes, compressed", z)
			}
			all := messages(t, p, "v1")
			var state message
			for _, m := range all {
				if m.Op == "state" {
					state = m
				}
			}
			want := fmt.Sprintf("product-%d", int(state.seconds-1)/3)
			if len(state.Cues) != 1 || state.Cues[0][0] != want || state.seconds < hours*3600-3 {
				t.Errorf("the newest segment, at %.1f s, says %v, want %s", state.seconds, state.Cues, want)
			}
		})
	}
}
