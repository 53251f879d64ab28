package rtsp

import (
	"testing"
	"time"

	"pushcart/media"
)

// far is a host, or a server that passes one on.
type far struct {
	agent     string
	ofArrival bool                      // it reports by the packet that was least late, like MediaMTX
	span      func(i int) time.Duration // of packet i of the sound
	pictures  time.Duration             // how long they take until they are sent
}

// apart is how much later than the pictures of its moment sound is in the show at the end.
func (h far) apart(t *testing.T) time.Duration {
	t.Helper()
	const rate, unit = 48000, 1024 * time.Second / 48000
	var f fractions
	f.heed(h.agent)
	begin := time.Now()
	video, sound := &trackClock{rate: rate}, &trackClock{rate: rate}
	video.reports.fractions, sound.reports.fractions = &f, &f
	type packet struct {
		c                    *trackClock
		captured, came, span time.Duration // the first two since begin
	}
	least := map[*trackClock]time.Duration{video: time.Hour, sound: time.Hour}
	play := func(p packet) {
		least[p.c] = min(least[p.c], p.came-p.captured)
		at, _ := p.c.time(uint32(media.Ticks(p.captured, rate)), begin.Add(p.came), begin, false)
		p.c.arrive(at+media.Ticks(p.span, rate), begin.Add(p.came), begin)
	}
	// report tells of a track what its newest packet was, some time later.
	report := func(p packet, after time.Duration) {
		const ahead = 3 * time.Second // the host's clock
		wall := begin.Add(p.captured + after + ahead)
		if h.ofArrival {
			wall = wall.Add(least[p.c])
		}
		p.c.report(uint32(media.Ticks(p.captured+after, rate)), toNTP(wall), p.came+after < earlyReports)
		sound.align(video)
	}
	var picture packet
	from := time.Duration(0)
	for i := range 60 {
		span := h.span(i) / unit * unit
		came := from + span + unit
		for picture.captured+40*time.Millisecond+h.pictures < came {
			picture = packet{c: video, captured: picture.captured + 40*time.Millisecond, came: picture.captured + 40*time.Millisecond + h.pictures}
			play(picture)
		}
		p := packet{c: sound, captured: from, span: span - unit, came: came}
		play(p)
		if i%14 == 1 && picture.c != nil {
			report(picture, 12*time.Millisecond)
			report(p, 5*time.Millisecond)
		}
		from += span
	}
	return media.Duration(sound.shift-video.shift, rate)
}

// A server that passes a host on and reports when packets came to it takes the first unit of a packet of sound to be as late as its
// last one. The reports of those that tell when it was captured are believed to the letter.
func TestReportsOfArrivalOfLongPackets(t *testing.T) {
	const most = 700 * time.Millisecond
	long := func(int) time.Duration { return most }
	varied := func(i int) time.Duration { return most - time.Duration(i*i*37%500)*time.Millisecond }
	short := func(int) time.Duration { return 64 * time.Millisecond }
	for _, tt := range []struct {
		name  string
		host  far
		bound time.Duration
	}{
		{"arrival", far{"gortsplib", true, long, 10 * time.Millisecond}, 40 * time.Millisecond},
		{"arrival, packets of all lengths", far{"gortsplib", true, varied, 10 * time.Millisecond}, 40 * time.Millisecond},
		{"arrival, short packets", far{"gortsplib", true, short, 10 * time.Millisecond}, 80 * time.Millisecond},
		{"capture", far{"gortsplib", false, long, 10 * time.Millisecond}, time.Millisecond},
		{"capture, pictures that take two seconds", far{"gortsplib", false, long, 2 * time.Second}, time.Millisecond},
		{"capture, pictures that take as long as the sound", far{"ffmpeg", false, long, most}, time.Millisecond},
	} {
		if got := tt.host.apart(t); got.Abs() > tt.bound {
			t.Errorf("%s: sound is %v late", tt.name, got)
		}
	}
}
