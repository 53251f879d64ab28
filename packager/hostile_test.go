package packager

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/auth"
	"pushcart/ingest"
	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// TestHostileTimelines plays random shows from a session to the playlists: tracks that fall silent, wires
// that stall, hosts who go, come back otherwise and take each other over. Whatever comes, the rules of the
// protocol hold. HOSTILE_SHOWS sets the number of shows, HOSTILE_FIRST the seed of the first.
func TestHostileTimelines(t *testing.T) {
	shows, first := 5, 0
	if n, err := strconv.Atoi(os.Getenv("HOSTILE_SHOWS")); err == nil {
		shows = n
	}
	if n, err := strconv.Atoi(os.Getenv("HOSTILE_FIRST")); err == nil {
		first = n
	}
	for seed := first; seed < first+shows; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newHostileShow(t, uint64(seed)).play() })
		})
	}
}

// anyone lets everybody publish.
type anyone struct{}

func (anyone) Publish(key string, _ netip.Addr) (auth.Grant, error) { return auth.ParseGrant(key) }

// hostileShow is a hub whose one show is packaged and inspected.
type hostileShow struct {
	t      *testing.T
	random *rand.Rand
	hub    *stream.Hub
	desk   *ingest.Desk
	reader *stream.Reader
	p      *Packager
	in     *inspector
	texts  map[string]*m3u8.Media // the newest of each rendition
	seen   map[string]*playlist   // what they are of
	// company are those who contribute.
	company company
}

func newHostileShow(t *testing.T, seed uint64) *hostileShow {
	h := &hostileShow{t: t, random: rand.New(rand.NewPCG(seed, 7))}
	latency, _ := Preset(PresetNames()[h.random.IntN(len(PresetNames()))])
	log := slog.New(slog.DiscardHandler)
	h.hub = stream.NewHub(stream.Config{}, log, func(s *stream.Stream) {
		h.reader = s.NewReader()
		h.p = New(Config{Latency: latency}, Show{Epoch: s.Epoch(), Start: s.Start(), FirstMSN: 100, FirstDSN: 7})
		h.in = inspect(t, h.p)
		h.texts, h.seen = make(map[string]*m3u8.Media), make(map[string]*playlist)
	})
	h.desk = &ingest.Desk{Hub: h.hub, Auth: anyone{}, Log: log}
	return h
}

// play has up to three sessions publish, one after the other.
func (h *hostileShow) play() {
	for range 1 + h.random.IntN(3) {
		s, err := h.desk.Open(ingest.Request{Protocol: "test", App: "live", Key: "a"})
		if err != nil {
			h.t.Fatal(err)
		}
		h.session(s)
		if h.random.IntN(3) > 0 { // else the next one takes over
			s.Close(nil)
			time.Sleep(time.Duration(h.random.Int64N(50_000)) * time.Millisecond)
		}
		h.read()
	}
	h.hub.Cut("a")
	h.read()
	if !h.p.ended {
		h.t.Error("the show has no end")
	}
	for _, r := range h.p.renditions {
		f := h.in.seen[r.name]
		if f == nil {
			continue
		}
		media := 0
		for _, s := range f.segments {
			media += bool2int(!s.gap)
		}
		h.t.Logf("%s: track %d, %d segments, %d of them with media, %d units", r.name, r.track.ID, len(f.segments), media, len(f.units))
	}
}

// session publishes both tracks for a while, in real time, with mishaps.
func (h *hostileShow) session(s ingest.Publisher) {
	pick := func(of ...int) int { return of[h.random.IntN(len(of))] }
	start := h.random.Int64N(100_000)
	video := mediatest.Video{
		Timescale: 1000, GOP: pick(30, 45, 60, 60, 74, 120, 250), RateNum: int64(pick(15, 24, 25, 30, 60)), RateDen: 1,
		BFrames: h.random.IntN(3), Start: start,
	}
	if h.random.IntN(4) == 0 {
		other, _ := mediatest.Clip("h264b")
		video.Config = other.Config
	}
	audio := mediatest.Audio{Timescale: 1000, SampleRate: pick(48000, 44100, 22050), Start: start + h.random.Int64N(100)}
	tracks := []media.Track{video.Track(), audio.Track()}
	if h.random.IntN(2) == 0 {
		tracks[0].FrameRate = 0
	}
	seconds := 10 + h.random.IntN(60)
	rows := [][]media.AccessUnit{video.Units(seconds * int(video.RateNum)), audio.Units(seconds * audio.SampleRate / 1024)}
	if h.random.IntN(2) == 0 { // of a ladder
		second := video
		second.ID, second.Start = 4, second.Start+int64(pick(0, 0, 0, 20, -30, 500))
		second.GOP = pick(video.GOP, video.GOP, 2*video.GOP, 50)
		tracks, rows = append(tracks, second.Track()), append(rows, second.Units(seconds*int(video.RateNum)))
	}
	if h.random.IntN(3) == 0 {
		second := audio
		second.ID, second.Language = 5, "fr"
		tracks, rows = append(tracks, second.Track()), append(rows, second.Units(seconds*audio.SampleRate/1024))
	}
	if h.random.IntN(2) == 0 {
		s.Expect(true, true)
	}
	for _, track := range tracks {
		if err := s.SetTrack(track); err != nil {
			h.t.Fatal(err)
		}
	}
	units := mediatest.Interleave(tracks, rows...)
	var silent [6]int64 // by track: until that time
	begin := time.Now()
	for _, au := range units {
		if h.random.IntN(300) == 0 {
			until := au.DTS + h.random.Int64N(8000)
			switch h.random.IntN(5) {
			case 0, 1:
				silent[tracks[h.random.IntN(len(tracks))].ID] = until
			case 2:
				silent = [6]int64{0, until, until, 0, until, until}
			case 3:
				time.Sleep(time.Duration(until-au.DTS) * time.Millisecond) // a stall, and then a burst
			case 4:
				au.RandomAccess = true
			}
		}
		if au.DTS < silent[au.Track] {
			continue
		}
		time.Sleep(time.Until(begin.Add(time.Duration(au.DTS-start) * time.Millisecond)))
		if err := s.Write(au); err != nil {
			h.t.Fatal(err)
		}
		h.company.act(h)
		h.read()
	}
}

// read packages what has been published and inspects what came of it.
func (h *hostileShow) read() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		events, err := h.reader.Next(ctx)
		if err != nil {
			return
		}
		for _, ev := range events {
			h.company.hear(ev)
			apply(h.t, h.p, ev)
			h.in.look()
			for _, r := range h.p.renditions {
				h.text(r)
			}
			if err := reportsHold(h.t, h.p); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// text reads a rendition's playlist as a client does, and holds it against the one before.
func (h *hostileShow) text(r *rendition) {
	t, pl := h.t, r.state.Load()
	if pl == nil || h.seen[r.name] == pl {
		return
	}
	h.seen[r.name] = pl
	now, err := m3u8.ParseMedia(pl.documents[SkipNone].Text())
	if err != nil {
		t.Fatalf("%s: %v\n%s", r.name, err, pl.documents[SkipNone].Text())
	}
	if before := h.texts[r.name]; before != nil {
		checkStep(t, r.name, before, now)
		for _, skip := range []Skip{SkipSegments, SkipDateRanges} {
			checkDelta(t, r.name, before, pl.documents[skip].Text(), now)
		}
	}
	h.texts[r.name] = now
	total := time.Duration(0)
	for i, s := range now.Segments {
		total += s.Duration
		if i == 0 {
			continue
		}
		step := s.ProgramDate.Sub(now.Segments[i-1].ProgramDate) - now.Segments[i-1].Duration
		if step < -maxRoomBack || !s.Discontinuity && step > 2*time.Millisecond {
			t.Fatalf("%s: segment %d is dated %v off", r.name, now.MediaSequence+int64(i), step)
		}
	}
	if len(now.Segments) < minListed || total < time.Duration(3*now.TargetDuration)*time.Second && now.MediaSequence > 100 {
		t.Fatalf("%s: %d segments are listed, %v, with a target duration of %d s", r.name, len(now.Segments), total, now.TargetDuration)
	}
}

// maxRoomBack is how far a track's new epoch may reach back into its last segment.
const maxRoomBack = 100 * time.Millisecond

// checkStep checks what a playlist may change: numbers go up, the part that was hinted is there, and none has come back.
func checkStep(t *testing.T, name string, before, now *m3u8.Media) {
	t.Helper()
	removed, discontinuities := now.MediaSequence-before.MediaSequence, int64(0)
	for i := range min(removed, int64(len(before.Segments))) {
		if before.Segments[i].Discontinuity {
			discontinuities++
		}
	}
	if removed < 0 || now.DiscontinuitySequence-before.DiscontinuitySequence != discontinuities || now.TargetDuration < before.TargetDuration {
		t.Fatalf("%s: numbers %d, %d (target %d) became %d, %d (target %d)", name, before.MediaSequence, before.DiscontinuitySequence,
			before.TargetDuration, now.MediaSequence, now.DiscontinuitySequence, now.TargetDuration)
	}
	hinted := now.EndList || now.PreloadPart == before.PreloadPart
	for _, s := range append(now.Segments, now.Open) {
		for _, x := range s.Parts {
			hinted = hinted || x.URI == before.PreloadPart
		}
	}
	if !hinted {
		t.Fatalf("%s: %s was hinted and never came", name, before.PreloadPart)
	}
	for i, s := range before.Segments {
		if j := i - int(removed); j >= 0 && len(s.Parts) == 0 && len(now.Segments[j].Parts) > 0 {
			t.Fatalf("%s: the parts of segment %d are listed again", name, before.MediaSequence+int64(i))
		}
	}
}

// checkDelta applies a delta update to what a client had.
func checkDelta(t *testing.T, name string, before *m3u8.Media, text []byte, want *m3u8.Media) {
	t.Helper()
	update, err := m3u8.ParseMedia(text)
	if err != nil {
		t.Fatalf("%s: delta update: %v", name, err)
	}
	if update.Skip == nil {
		return
	}
	got, err := m3u8.Merge(before, update)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i := range want.Segments {
		a, b := got.Segments[i], want.Segments[i]
		a.Parts, b.Parts = nil, nil
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%s: merged %+v, want %+v", name, a, b)
		}
	}
}
