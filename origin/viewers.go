package origin

import (
	"sync"
	"sync/atomic"
	"time"
)

// How viewers are counted, without a cookie or a look at addresses. Each response to a request for a
// media playlist keeps one player going for a known time: a blocking request for a part, for one part
// target; any other, for one target duration. So the seconds of watching that the responses of the last
// viewerSpan have paid for, divided by viewerSpan, are the players that were watching.
//
// A player loads one video rendition at a time and, beside it, one audio rendition: video renditions
// ("v1", "v2", ...) are counted, and audio renditions ("a1", ...) only in a show without video. What a
// CDN answers out of its cache is not seen here: behind one, this counts the CDN's own requests.
const viewerSpan = 10 // seconds

// Viewers estimates how many players are watching a show through this server. Zero for a show that
// nobody asks for.
func (s *Server) Viewers(name string) int {
	r, ok := s.rooms.find(name)
	if !ok {
		return 0
	}
	return r.watched.viewers(time.Now())
}

// room is what the origin knows of one show.
type room struct {
	waiting   gauge
	listening gauge
	watched   watched
	cues      cueListing
	used      atomic.Int64 // Unix second of the latest request
}

// rooms holds a room for each show that is asked for. Only shows that exist get one.
type rooms struct {
	m     sync.Map // name -> *room
	swept atomic.Int64
}

// roomIdle is after how many seconds without a request a room is forgotten.
const roomIdle = 60

func (rs *rooms) find(name string) (*room, bool) {
	v, ok := rs.m.Load(name)
	if !ok {
		return nil, false
	}
	return v.(*room), true
}

// enter returns the room of a show, which must exist.
func (rs *rooms) enter(name string, now int64) *room {
	r, ok := rs.find(name)
	if !ok {
		rs.sweep(now)
		v, _ := rs.m.LoadOrStore(name, new(room))
		r = v.(*room)
	}
	if r.used.Load() != now {
		r.used.Store(now)
	}
	return r
}

// sweep forgets the rooms of shows that nobody has asked for lately, at most once in roomIdle. A request
// that has just found its room keeps using it; at worst its share of the estimate is lost.
func (rs *rooms) sweep(now int64) {
	last := rs.swept.Load()
	if now-last < roomIdle || !rs.swept.CompareAndSwap(last, now) {
		return
	}
	rs.m.Range(func(name, v any) bool {
		if r := v.(*room); now-r.used.Load() > roomIdle && r.waiting.n.Load() == 0 && r.listening.n.Load() == 0 {
			rs.m.CompareAndDelete(name, r)
		}
		return true
	})
}

// watched is a ring of one bucket a second. Buckets are reused without a lock: when a second begins, a
// response or two may be lost, which an estimate can bear.
type watched [16]bucket

type bucket struct {
	second       atomic.Int64
	video, audio atomic.Int64 // nanoseconds of watching
}

// add notes a response for a rendition that keeps a player going for d.
func (w *watched) add(now int64, rendition string, d time.Duration) {
	b := &w[now%int64(len(w))]
	if s := b.second.Load(); s != now && b.second.CompareAndSwap(s, now) {
		b.video.Store(0)
		b.audio.Store(0)
	}
	if rendition[0] == 'a' {
		b.audio.Add(int64(d))
	} else {
		b.video.Add(int64(d))
	}
}

// viewers adds up the whole seconds before the present one, which is not over yet.
func (w *watched) viewers(now time.Time) int {
	sec := now.Unix()
	var video, audio int64
	for i := range w {
		b := &w[i]
		if age := sec - b.second.Load(); 1 <= age && age <= viewerSpan {
			video += b.video.Load()
			audio += b.audio.Load()
		}
	}
	if video == 0 {
		video = audio
	}
	const span = int64(viewerSpan * time.Second)
	return int((video + span/2) / span)
}
