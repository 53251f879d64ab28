package rtsp

import (
	"fmt"
	"sync"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// What the door had to mend, as the operator reads it.
const (
	countLost      = "packets lost"
	countLate      = "packets that came twice or too late"
	countReordered = "packets put in order"
	countRestarts  = "new rows of packets"
	countJumps     = "RTP clock jumps"
	countDropped   = "frames dropped after a loss"
	countLeading   = "frames that a keyframe can't start with"
	countMalformed = "frames that made no sense"
	countFilled    = "audio frames filled in"
	countRepeated  = "pictures filled in"
)

// feed makes access units of a session's packets. Packets come from whichever goroutine has read them; the
// lock makes them one row.
type feed struct {
	wait time.Duration // for packets out of order; zero on TCP

	mu      sync.Mutex // guards what follows, and the tracks
	pub     ingest.Publisher
	tracks  []*track
	begin   time.Time     // when the first packet came
	newest  time.Time     // when the newest did
	silence time.Duration // how long none has come
	looked  time.Time     // when that was looked at
	reports fractions     // how the host writes times in sender reports
	failed  error         // the session's; nothing is written any more
	dater   ingest.Dater
	dated   bool // or given up
	patient time.Time
}

// refusedTrack is a stream of a description that can't be carried.
type refusedTrack struct {
	kind media.Kind
	why  string
}

// newFeed plans the tracks of a description for pub. If there is none that can be carried, the error is an
// *ingest.Refusal.
func newFeed(s sdp.Session, wait time.Duration) (*feed, []refusedTrack, error) {
	f := &feed{wait: wait}
	var refused []refusedTrack
	ids := map[media.Kind]int{media.KindVideo: videoTrackID, media.KindAudio: audioTrackID}
	further := furtherID
	for i, m := range s.Media {
		kind := map[string]media.Kind{"video": media.KindVideo, "audio": media.KindAudio}[m.Kind]
		if kind == media.KindUnknown || m.BackChannel || len(f.tracks) == maxTracks {
			continue
		}
		t, why := newTrack(f, kind, m)
		if why != "" {
			refused = append(refused, refusedTrack{kind, why})
			continue
		}
		t.index = i
		if t.id = ids[kind]; t.id == 0 {
			t.id = further
			further++
		}
		ids[kind] = 0
		f.tracks = append(f.tracks, t)
	}
	switch {
	case len(f.tracks) > 0:
		return f, refused, nil
	case len(refused) > 0:
		return nil, nil, &ingest.Refusal{Reason: fmt.Sprintf("The %s can't be used: %s.", refused[0].kind, refused[0].why)}
	}
	return nil, nil, &ingest.Refusal{Reason: "The stream has neither video nor audio."}
}

// open begins to write to pub.
func (f *feed) open(pub ingest.Publisher, refused []refusedTrack) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pub = pub
	for _, r := range refused {
		f.remark("refused "+r.kind.String(), fmt.Sprintf("The %s track is left out: %s.", r.kind, r.why))
	}
	pub.Expect(f.has(media.KindVideo), f.has(media.KindAudio))
	for _, t := range f.tracks {
		if t.video != nil {
			t.video.announce()
		} else {
			t.audio.announce()
		}
	}
}

// close leaves the show. It may be called more than once.
func (f *feed) close(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == errClosed {
		return
	}
	f.report()
	f.failed = errClosed
	f.pub.Close(why)
}

func (f *feed) has(k media.Kind) bool {
	for _, t := range f.tracks {
		if t.kind == k {
			return true
		}
	}
	return false
}

// track returns the track of a media section, nil if there is none.
func (f *feed) track(index int) *track {
	for _, t := range f.tracks {
		if t.index == index {
			return t
		}
	}
	return nil
}

// push takes a packet of t.
func (f *feed) push(t *track, p rtp.Packet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil || f.pub == nil {
		return
	}
	if f.begin.IsZero() {
		f.begin = p.Arrived
	}
	f.newest, f.silence = p.Arrived, 0
	t.push(p)
}

// senderReport takes a report of t's sender.
func (f *feed) senderReport(t *track, ts uint32, ntp uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ntp == 0 || f.failed != nil {
		return // zero is "no wall clock" (RFC 3550 6.4.1)
	}
	t.clock.report(ts, ntp, f.newest.Sub(f.begin) < earlyReports)
	f.align()
}

// lead is the track whose times stay as they are.
func (f *feed) lead() *track {
	for _, t := range f.tracks {
		if t.kind == media.KindVideo {
			return t
		}
	}
	return f.tracks[0]
}

// align moves all tracks to where the sender reports say that they are beside the lead.
func (f *feed) align() {
	lead := f.lead()
	for _, t := range f.tracks {
		by, far := t.clock.align(&lead.clock)
		f.moved(t, by)
		if far {
			f.remark("reports", fmt.Sprintf("The host's sender reports put %s and %s more than %v apart: they are not used.", lead.kind, t.kind, maxMove))
		}
	}
}

// moved tells the session that a track has been moved, which is no jump of the host's clock.
func (f *feed) moved(t *track, by time.Duration) {
	if m, ok := f.pub.(ingest.Mover); ok && by != 0 {
		m.Move(t.id, by)
	}
}

// tick does what has to be done from time to time: packets that are missing are given up, and counts told.
func (f *feed) tick(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return
	}
	for _, t := range f.tracks {
		t.expire(now)
	}
	if f.newest.Sub(f.begin) < settleTime {
		lead := f.lead()
		for _, t := range f.tracks {
			f.moved(t, t.clock.settle(&lead.clock))
		}
	}
	f.report()
}

// maxLook is how much of the time since quiet was asked before counts: a machine that was too busy to look was too
// busy to hear, and the packets of that time are still waiting.
const maxLook = time.Second

// quiet returns how long nothing has come, and the error that ended the session, if any. It is asked from time to
// time.
func (f *feed) quiet(now time.Time) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.looked.IsZero() {
		f.silence += min(now.Sub(f.looked), maxLook)
	}
	f.looked = now
	return f.silence, f.failed
}

// report tells what has been counted since the last time.
func (f *feed) report() {
	for _, t := range f.tracks {
		s, told := &t.sequence, &t.reported
		for _, c := range []struct {
			name      string
			now, then *int64
		}{
			{countLost, &s.Lost, &told.Lost}, {countLate, &s.Late, &told.Late}, {countReordered, &s.Reordered, &told.Reordered},
			{countRestarts, &s.Restarts, &told.Restarts}, {countJumps, &t.clock.Jumps, &t.jumps},
		} {
			if n := *c.now - *c.then; n > 0 {
				f.count(c.name, n)
				*c.then = *c.now
			}
		}
	}
}

func (f *feed) count(repair string, n int64) {
	if r, ok := f.pub.(ingest.Reporter); ok {
		r.Count(repair, n)
	}
}

func (f *feed) remark(kind, sentence string) {
	if r, ok := f.pub.(ingest.Reporter); ok {
		r.Remark(kind, sentence)
	}
}

// malformed counts a frame that makes no sense.
func (f *feed) malformed(err error) {
	f.count(countMalformed, 1)
	f.remark("malformed", "A frame made no sense and was left out: "+err.Error()+".")
}

// announce tells the session of a track, and reports whether it is carried.
func (f *feed) announce(t *track, as media.Track) bool {
	if f.pub == nil {
		return false
	}
	if err := f.pub.SetTrack(as); err != nil {
		f.remark("refused "+t.kind.String(), fmt.Sprintf("The %s track is left out: %v.", t.kind, err))
		return false
	}
	return true
}

// write hands a unit on.
func (f *feed) write(au media.AccessUnit) {
	if f.failed != nil || !f.mayBegin() {
		return
	}
	if err := f.pub.Write(au); err != nil {
		f.failed = err
	}
}
