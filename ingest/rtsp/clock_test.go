package rtsp

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/media"
)

// toNTP is a time as a sender report has it.
func toNTP(at time.Time) uint64 {
	const seconds1900To1970 = 2_208_988_800
	fraction := uint64(at.Nanosecond()) << 32 / uint64(time.Second)
	return uint64(at.Unix()+seconds1900To1970)<<32 | fraction
}

// reporter sends what a camera reports every few seconds, of both its streams. wrong is the error of the
// sound's reports.
func (c *fakeCamera) reporter(begin time.Time, every, wrong time.Duration, write func(time.Time) uint64) func(*feed, time.Time) {
	next := begin
	return func(f *feed, now time.Time) {
		if now.Before(next) {
			return
		}
		next = next.Add(every)
		since := now.Sub(begin)
		f.senderReport(f.track(cameraVideo), c.videoStart+uint32(media.Ticks(since, 90000)), write(now))
		samples := media.Ticks(time.Duration(float64(since)/(1+c.soundSlow)), 48000)
		f.senderReport(f.track(cameraAudio), c.audioStart+uint32(samples), write(now.Add(wrong)))
	}
}

// offset is how much later than the picture of the same moment sound comes in the show, n units from its end.
func (c *fakeCamera) offset(t testing.TB, show *fakeShow, fromEnd int) time.Duration {
	t.Helper()
	pictures, sounds := show.of(videoTrackID), show.of(audioTrackID)
	video := media.Duration(pictures[0].PTS-c.shown(0), 90000) // when the camera began, by the picture
	last := len(sounds) - 1 - fromEnd
	filmed := media.Duration(int64(float64(int64(last)*1024)*(1+c.soundSlow)), 48000)
	return media.Duration(sounds[last].PTS, 48000) - filmed - video
}

// TestReportsAlign has sound that comes late, on a clock that is slow: reports put it where it belongs, and keep
// it there for half an hour.
func TestReportsAlign(t *testing.T) {
	for _, tt := range []struct {
		name  string
		late  time.Duration
		slow  float64
		first time.Duration // when the reports begin
		wrong time.Duration
		write func(time.Time) uint64
		d     time.Duration
	}{
		{"from the start", 200 * time.Millisecond, 0, 0, 0, toNTP, time.Minute},
		{"after five seconds", 200 * time.Millisecond, 0, 5 * time.Second, 0, toNTP, time.Minute},
		{"far apart", 2 * time.Second, 0, 5 * time.Second, 0, toNTP, time.Minute},
		{"half an hour, 100 ppm", 300 * time.Millisecond, 0.0001, 0, 0, toNTP, 30 * time.Minute},
		{"half an hour, 100 ppm fast", 300 * time.Millisecond, -0.0001, time.Second, 0, toNTP, 30 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeCamera{clip: "h264", videoStart: 1 << 31, audioStart: 77, audioDelay: tt.late, soundSlow: tt.slow}
			c.prepare(t)
			begin := time.Now()
			report := c.reporter(begin, 5300*time.Millisecond, tt.wrong, tt.write)
			show := receive(t, c, 0, c.film(t, begin, tt.d), func(f *feed, now time.Time) {
				if now.Sub(begin) >= tt.first {
					report(f, now)
				}
			})
			if got := c.offset(t, show, 10); got.Abs() > 2*time.Millisecond {
				t.Errorf("at the end, sound is %v late", got)
			}
			if tt.first == 0 {
				if got := c.offset(t, show, len(show.of(audioTrackID))-1); got.Abs() > 2*time.Millisecond {
					t.Errorf("at the start, sound is %v late", got)
				}
			}
			if len(show.remarks) > 0 || len(show.counts) > 0 {
				t.Errorf("remarks %q, counts %v", show.remarks, show.counts)
			}
		})
	}
}

// TestReportsThatLie leaves sound where it came.
func TestReportsThatLie(t *testing.T) {
	c := &fakeCamera{clip: "h264"}
	c.prepare(t)
	begin := time.Now()
	show := receive(t, c, 0, c.film(t, begin, time.Minute), c.reporter(begin, 5*time.Second, time.Hour, toNTP))
	if got := c.offset(t, show, 10); got.Abs() > 50*time.Millisecond {
		t.Errorf("sound is %v late", got)
	}
	if len(show.remarks) == 0 || !strings.Contains(show.remarks[0], "sender reports") {
		t.Errorf("remarks %q", show.remarks)
	}
}

// TestReportsOfArrival has a server that reports when packets came to it, which is up to 300 ms late: sound is
// left where it came.
func TestReportsOfArrival(t *testing.T) {
	c := &fakeCamera{clip: "h264"}
	c.prepare(t)
	begin := time.Now()
	n := 0
	late := func(at time.Time) uint64 {
		n++
		return toNTP(at.Add(time.Duration(n*n*37%300) * time.Millisecond))
	}
	report := c.reporter(begin, 10*time.Second, 0, late)
	show := receive(t, c, 0, c.film(t, begin, 2*time.Minute), func(f *feed, now time.Time) {
		if now.Sub(begin) > earlyReports {
			report(f, now)
		}
	})
	for n := 0; n < len(show.of(audioTrackID)); n += 100 {
		if got := c.offset(t, show, n); got.Abs() > minSettle {
			t.Fatalf("%d units from the end, sound is %v late", n, got)
		}
	}
}

// TestSettles has the first packets of the sound held up on their way, and no reports: sound finds its place.
func TestSettles(t *testing.T) {
	c := &fakeCamera{clip: "h264b"}
	c.prepare(t)
	begin := time.Now()
	packets := c.film(t, begin, time.Minute)
	for i, p := range packets {
		if p.media == cameraAudio && p.Arrived.Sub(begin) < 400*time.Millisecond {
			packets[i].Arrived = begin.Add(400 * time.Millisecond)
		}
	}
	slices.SortStableFunc(packets, func(a, b sent) int { return a.Arrived.Compare(b.Arrived) })
	show := receive(t, c, 0, packets)
	if got := c.offset(t, show, 10); got.Abs() > minSettle {
		t.Errorf("at the end, sound is %v late", got)
	}
}

// TestSenderDate has a show dated by the camera's clock, with or without reports.
func TestSenderDate(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Second, -time.Second} {
		c := &fakeCamera{clip: "h264", videoStart: 1 << 30}
		c.prepare(t)
		begin := time.Now()
		s := &show{fakeShow: newFakeShow()}
		units := c.dated(t, s, begin, c.reporter(begin, 5*time.Second, ahead, func(at time.Time) uint64 { return toNTP(at.Add(ahead)) }))
		captured := s.zero.Add(media.Duration(units[0].PTS-c.shown(0), 90000))
		if got := captured.Sub(begin) - ahead; got.Abs() > time.Millisecond {
			t.Errorf("clock %v ahead: dated %v late", ahead, got)
		}
	}
	begin := time.Now()
	for _, tt := range []struct {
		agent, remark string
		reports       func(*fakeCamera) func(*feed, time.Time)
	}{
		{"", "sends no RTCP sender reports", func(*fakeCamera) func(*feed, time.Time) { return func(*feed, time.Time) {} }},
		{"gortsplib", "how it writes fractions", func(c *fakeCamera) func(*feed, time.Time) {
			return c.reporter(begin, time.Hour, 0, func(time.Time) uint64 { return toNTP(begin) &^ (1<<32 - 1) })
		}},
	} {
		c := &fakeCamera{clip: "h264"}
		c.prepare(t)
		s := &show{fakeShow: newFakeShow(), agent: tt.agent}
		units := c.dated(t, s, begin, tt.reports(c))
		if !s.zero.IsZero() || len(s.remarks) != 1 || !strings.Contains(s.remarks[0], tt.remark) {
			t.Errorf("agent %q: dated %v; remarks %q", tt.agent, s.zero, s.remarks)
		}
		if waited := media.Duration(units[0].PTS, 90000); waited < datePatience || waited > datePatience+3*time.Second {
			t.Errorf("agent %q: the show begins after %v", tt.agent, waited)
		}
	}
}

// show is a fakeShow that can be dated, and whose host may call itself something.
type show struct {
	*fakeShow
	agent string
}

func (c *fakeCamera) dated(t *testing.T, s *show, begin time.Time, reports ...func(*feed, time.Time)) []media.AccessUnit {
	t.Helper()
	f := newTestFeed(t, c, s)
	f.dater = s
	f.reports.heed(s.agent)
	next := begin
	for _, p := range c.film(t, begin, 15*time.Second) {
		for ; !p.Arrived.Before(next); next = next.Add(tickUDP) {
			for _, r := range reports {
				r(f, next)
			}
		}
		f.push(f.track(p.media), p.Packet)
	}
	return s.of(videoTrackID)
}

// TestJumps has the camera's clock jump, its row of packets begin anew, and the wire fall silent.
func TestJumps(t *testing.T) {
	const at = 10 * time.Second
	for _, tt := range []struct {
		name     string
		change   func(p *rtp.Packet)
		silence  time.Duration
		want     time.Duration // between the first picture and the last
		jumps    int64
		restarts int64
	}{
		{"ahead", func(p *rtp.Packet) { p.Timestamp += 1 << 30 }, 0, 20 * time.Second, 1, 0},
		{"back", func(p *rtp.Packet) { p.Timestamp -= 1 << 30 }, 0, 20 * time.Second, 1, 0},
		{"another SSRC", func(p *rtp.Packet) { p.SSRC++; p.Sequence += 9999; p.Timestamp += 12345678 }, 0, 20 * time.Second, 0, 1},
		{"silence", func(*rtp.Packet) {}, 7 * time.Second, 20 * time.Second, 0, 0},
		{"another SSRC after silence", func(p *rtp.Packet) { p.SSRC++; p.Sequence += 9999; p.Timestamp += 12345678 }, 5 * time.Second, 20 * time.Second, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeCamera{clip: "h264b", sequence: 65500}
			c.prepare(t)
			begin := time.Now()
			var packets []sent
			for _, p := range c.film(t, begin, 20*time.Second) {
				if p.media == cameraVideo {
					since := p.Arrived.Sub(begin)
					if since >= at && since < at+tt.silence {
						continue
					}
					if since >= at {
						tt.change(&p.Packet)
					}
				}
				packets = append(packets, p)
			}
			show := receive(t, c, 0, packets)
			units := show.of(videoTrackID)
			got := media.Duration(units[len(units)-1].PTS-units[0].PTS, 90000)
			if (got - tt.want).Abs() > 300*time.Millisecond {
				t.Errorf("the show lasts %v, want %v", got, tt.want)
			}
			for i, au := range units[1:] {
				if au.DTS <= units[i].DTS || au.DTS > au.PTS {
					t.Fatalf("picture %d: DTS %d behind %d, PTS %d", i+1, au.DTS, units[i].DTS, au.PTS)
				}
			}
			if show.counts[countJumps] != tt.jumps || show.counts[countRestarts] != tt.restarts {
				t.Errorf("counts %v", show.counts)
			}
		})
	}
}

func newTestFeed(t testing.TB, c *fakeCamera, s *show) *feed {
	t.Helper()
	f, refused, err := c.feed(t, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.open(s, refused)
	return f
}
