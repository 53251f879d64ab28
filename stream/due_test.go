package stream

import (
	"testing"
	"testing/synctest"

	"pushcart/media"
)

// TestAwait checks what a reader is woken for, whether units have come before it begins to wait or come while it
// does, and that it then gets all of them.
func TestAwait(t *testing.T) {
	const far = 1 << 60
	step := video.Unit(1).DTS - video.Unit(0).DTS
	for _, test := range []struct {
		name string
		due  Due
		want int // events that it is woken with
	}{
		{"a time", Due{Track: 1, From: video.Unit(7).DTS, Step: step}, 7},
		{"a keyframe", Due{Track: 1, From: far, Step: step, Keys: true}, 60},
		{"a unit that comes late", Due{Track: 1, From: far, Step: step - 1}, 1},
		{"another track", Due{Track: 2, From: far, Step: step}, 1},
		{"nothing", Due{Track: 1, From: far, Step: step}, maxGathered + 1},
	} {
		for _, before := range []int{0, test.want - 1} {
			synctest.Test(t, func(t *testing.T) {
				h := newTestHub(t, Config{}, nil)
				defer h.Close()
				p := publish(t, h, "a")
				r := p.Stream().NewReader()
				begin(t, p)
				write(t, p, 0, 1)
				if events, err := r.Next(t.Context()); err != nil || len(events) != 2 {
					t.Fatalf("the beginning: %v, %v", events, err)
				}
				test.due.Last = video.Unit(0).DTS
				write(t, p, 1, 1+before)
				got := -1
				go func() {
					events, err := r.Await(t.Context(), []Due{test.due})
					if err != nil {
						t.Error(err)
					}
					got = len(events)
				}()
				synctest.Wait()
				write(t, p, 1+before, test.want)
				synctest.Wait()
				if got >= 0 {
					t.Errorf("%s, %d before: woken with %d events", test.name, before, got)
				}
				write(t, p, test.want, test.want+1)
				synctest.Wait()
				if got != test.want {
					t.Errorf("%s, %d before: woken with %d events, want %d", test.name, before, got, test.want)
				}
			})
		}
	}
}

// TestAwaitOthers checks that what is no unit wakes a reader, the end of the show too, and that nothing of what came
// before is lost.
func TestAwaitOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{}, nil)
		p := publish(t, h, "a")
		r := p.Stream().NewReader()
		var got []EventKind
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				events, err := r.Await(t.Context(), []Due{{Track: 1, From: 1 << 60, Step: 1 << 60}})
				if err != nil {
					return
				}
				for _, ev := range events {
					got = append(got, ev.Kind)
				}
			}
		}()
		begin(t, p)
		write(t, p, 0, 3)
		synctest.Wait()
		write(t, p, 3, 5)
		h.Close()
		<-done
		units := 0
		for _, k := range got {
			if k == EventUnit {
				units++
			}
		}
		if n := len(got); units != 5 || got[0] != EventTracks || got[n-2] != EventInterrupted || got[n-1] != EventEnded {
			t.Errorf("got %v", got)
		}
	})
}

// TestAwaitBytes checks that a reader which sleeps is not made to lag by it, however big units are.
func TestAwaitBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTestHub(t, Config{}, nil)
		defer h.Close()
		p := publish(t, h, "a")
		r := p.Stream().NewReader()
		begin(t, p)
		go func() {
			for {
				if _, err := r.Await(t.Context(), []Due{{Track: 1, From: 1 << 60, Step: 1 << 60}}); err != nil {
					if err == ErrLagged {
						t.Error(err)
					}
					return
				}
			}
		}()
		for i := range 100 {
			if err := p.Write(media.AccessUnit{Track: 1, DTS: int64(i), RandomAccess: i == 0, Data: make([]byte, 1<<20)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
	})
}
