package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
)

// TestSenderDates has hosts tell when their pictures were captured: the show is dated by that, unless it can't
// be right.
func TestSenderDates(t *testing.T) {
	for _, tt := range []struct{ captured, want time.Duration }{
		{-250 * time.Millisecond, -250 * time.Millisecond}, // the way from there to here
		{300 * time.Millisecond, 300 * time.Millisecond},   // a clock that is a little ahead
		{-time.Hour, 0},
		{time.Hour, 0},
		{-1500 * time.Millisecond, 0}, // before the show's start
	} {
		synctest.Test(t, func(t *testing.T) {
			sh := newShow(t)
			s := sh.session()
			s.Expect(true, false)
			if err := s.SetTrack(video.Track()); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			s.Date(began.Add(tt.captured))
			play(t, s, video.Units(30))
			st, _ := sh.hub.Stream("a")
			first := st.Start().Add(media.Duration(sh.units(1)[0].PTS, 90000))
			if got := first.Sub(began); (got - tt.want).Abs() > 2*time.Millisecond {
				t.Errorf("captured %v after it came: dated %v after, want %v", tt.captured, got, tt.want)
			}
			if remarks := st.Status().Remarks; (len(remarks) > 0) != (tt.want == 0) {
				t.Errorf("captured %v after it came: remarks %v", tt.captured, remarks)
			}
		})
	}
}
