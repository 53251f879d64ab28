package rtsp

import (
	"math/rand/v2"
	"testing"
	"time"

	"pushcart/media"
)

// toNanoseconds is a time as gortsplib 4 has it in a sender report.
func toNanoseconds(at time.Time) uint64 {
	return uint64(at.Unix()+seconds1900To1970)<<32 | uint64(at.Nanosecond())
}

// TestReportsInNanoseconds has a camera behind a server that writes nanoseconds, and one that writes NTP by the
// same name: both put sound where it belongs.
func TestReportsInNanoseconds(t *testing.T) {
	for _, tt := range []struct {
		name, agent string
		write       func(time.Time) uint64
		nanoseconds bool
	}{
		{"gortsplib 4", "gortsplib", toNanoseconds, true},
		{"the same under another name", "My Camera 1.0", toNanoseconds, true},
		{"gortsplib 5", "gortsplib", toNTP, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeCamera{clip: "h264", videoStart: 1 << 31, audioStart: 77, audioDelay: 200 * time.Millisecond}
			c.prepare(t)
			begin := time.Now().Truncate(time.Second)
			// The two streams are reported at different moments: read wrongly, they lie apart.
			next := []time.Duration{100 * time.Millisecond, 630 * time.Millisecond}
			var fed *feed
			show := receive(t, c, 0, c.film(t, begin, time.Minute), func(f *feed, now time.Time) {
				if fed == nil {
					fed = f
					f.reports.heed(tt.agent)
				}
				for i, rate := range []int64{90000, 48000} {
					if since := now.Sub(begin); since >= next[i] {
						next[i] += 5300 * time.Millisecond
						start := []uint32{c.videoStart, c.audioStart}[i]
						f.senderReport(f.track(i), start+uint32(media.Ticks(since, rate)), tt.write(now))
					}
				}
			})
			if got := c.offset(t, show, 10); got.Abs() > 2*time.Millisecond {
				t.Errorf("at the end, sound is %v late", got)
			}
			if fed.reports.nanoseconds != tt.nanoseconds {
				t.Errorf("read as nanoseconds: %v", fed.reports.nanoseconds)
			}
			if len(show.remarks) > 0 {
				t.Errorf("remarks %q", show.remarks)
			}
		})
	}
}

// TestHonestReports has thousands of honest senders with all kinds of habits, among them such as always report early
// in a second, where a fraction could be nanoseconds: none is taken for one of the others.
func TestHonestReports(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 5000 {
		var f fractions
		if n%2 == 0 {
			f.heed("gortsplib")
		}
		const rate = 48000
		begin := time.Unix(1_800_000_000, 0)
		interval := time.Duration(1+random.IntN(10)) * time.Second
		spread := time.Duration(1 + random.Int64N(int64(220*time.Millisecond))) // of the moments within a second
		if n%5 == 0 {
			spread = time.Second
		}
		jitter := time.Duration(random.Int64N(int64(10 * time.Millisecond))) // of the reports' own clock
		r := senderReports{fractions: &f}
		for i := range 30 {
			since := time.Duration(i)*interval + time.Duration(random.Int64N(int64(spread)))
			wall := begin.Add(since + time.Duration(random.Int64N(int64(jitter+1))))
			r.add(senderReports{at: media.Ticks(since, rate), ntp: toNTP(wall), trusted: false}, rate)
			if f.nanoseconds {
				t.Fatalf("sender %d is misread after %d reports: interval %v, spread %v, jitter %v", n, i+1, interval, spread, jitter)
			}
		}
	}
}

// TestNanosecondReports has senders that write nanoseconds at moments of all kinds: they are found out, or nothing that they
// say is believed where their name gives them away.
func TestNanosecondReports(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var f fractions
		f.heed("gortsplib")
		const rate = 90000
		begin := time.Unix(1_800_000_000, random.Int64N(int64(time.Second)))
		r := senderReports{fractions: &f}
		step := 10*time.Second + time.Duration(random.Int64N(int64(20*time.Millisecond)))
		for i := range 10 {
			since := time.Duration(i) * step
			r.add(senderReports{at: media.Ticks(since, rate), ntp: toNanoseconds(begin.Add(since)), trusted: i == 0}, rate)
			if !f.nanoseconds && (r.trusted || r.confirmed) {
				t.Fatalf("a report is believed as NTP; step %v", step)
			}
			if want := begin.Add(since).UnixNano(); f.nanoseconds && int64(f.time(r.ntp)) != want {
				t.Fatalf("read as %d, want %d", f.time(r.ntp), want)
			}
		}
		if f.honest {
			t.Fatal("taken for an honest one")
		}
	}
}

// TestCapturedInNanoseconds: a show is not dated by a report that could be read in two ways.
func TestCapturedInNanoseconds(t *testing.T) {
	const rate = 90000
	begin := time.Unix(1_800_000_000, 900_000_000)
	c := trackClock{rate: rate}
	c.reports.fractions = &fractions{suspect: true}
	c.time(0, begin, begin, false)
	for i := range 4 {
		since := time.Duration(i) * 5300 * time.Millisecond
		c.time(uint32(media.Ticks(since, rate)), begin.Add(since), begin, false)
		c.report(uint32(media.Ticks(since, rate)), toNanoseconds(begin.Add(since)), i == 0)
		got, ok := c.captured()
		if off := got.Sub(begin); ok && off.Abs() > time.Millisecond {
			t.Errorf("after %d reports, the beginning is %v off", i+1, off)
		}
		if i == 3 && !ok {
			t.Error("the beginning is not known")
		}
	}
}
