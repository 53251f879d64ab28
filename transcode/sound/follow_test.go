package sound

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// silent is a maker that makes nothing.
type silent struct{ pushed int }

func (m *silent) push(int, media.AccessUnit) { m.pushed++ }
func (m *silent) away(bool) bool             { return false }
func (m *silent) Stop(error)                 {}

// Behind a hole that is too long ffmpeg begins anew: once, also where the newest keyframe is before the hole.
func TestFollowBehindAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)
		defer hub.Close()
		p, err := hub.Publish("show", stream.Source{})
		if err != nil {
			t.Fatal(err)
		}
		video := mediatest.Video{ID: 9}
		sound := media.Track{ID: 2, Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}}
		if err := p.Begin([]media.Track{video.Track(), sound}); err != nil {
			t.Fatal(err)
		}
		unit := func(at time.Duration) {
			p.Write(media.AccessUnit{Track: 2, DTS: media.Ticks(at, 8000), PTS: media.Ticks(at, 8000), RandomAccess: true, Data: make([]byte, 160)})
		}
		p.Write(video.Unit(0))
		unit(time.Second)
		unit(time.Second + longestHole + time.Millisecond)
		j := &job{sh: &show{s: p.Stream()}}
		ctx, cancel := context.WithCancel(t.Context())
		var makers []*silent
		ended := make(chan []error)
		go func() {
			var ends []error
			for ctx.Err() == nil && len(ends) < 100 {
				ends = append(ends, j.follow(ctx, &task{inputs: []media.Track{sound}}, func(int, media.AccessUnit, context.CancelCauseFunc) (maker, error) {
					makers = append(makers, new(silent))
					return makers[len(makers)-1], nil
				}))
			}
			ended <- ends
		}()
		synctest.Wait()
		unit(2*time.Second + longestHole)
		synctest.Wait()
		cancel()
		if ends := <-ended; len(ends) != 2 || !errors.Is(ends[0], errAgain) || len(makers) != 2 || makers[1].pushed != 2 {
			t.Errorf("it was begun %d times, and ended %v", len(makers), ends[:min(len(ends), 5)])
		}
	})
}
