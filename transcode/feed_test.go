package transcode

import (
	"testing"
	"testing/synctest"

	"pushcart/media"
)

// TestFeed lets the queue fill up: all that waits goes, and what comes until the next keyframe.
func TestFeed(t *testing.T) {
	q := newFeed()
	q.settle()
	push := func(i int) bool {
		return q.push(media.AccessUnit{DTS: int64(i) * 3000, RandomAccess: i%30 == 0, Data: []byte{byte(i)}})
	}
	if push(29) {
		t.Error("it began without a keyframe")
	}
	for i := 30; i <= 90; i++ {
		if !push(i) {
			t.Fatalf("%d was not taken", i)
		}
	}
	for i := 91; i < 120; i++ {
		if push(i) {
			t.Fatalf("%d was taken", i)
		}
	}
	if !push(120) || q.overflows() != 1 {
		t.Errorf("%d overflows", q.overflows())
	}
	if au, ok := q.take(); !ok || au.DTS != 120*3000 {
		t.Errorf("%d came first, %v", au.DTS, ok)
	}
	if q.bytes != 0 {
		t.Errorf("%d bytes in an empty queue", q.bytes)
	}
}

func TestFeedBytes(t *testing.T) {
	q := newFeed()
	taken := 0
	for i := range 100 {
		if q.push(media.AccessUnit{DTS: int64(i), RandomAccess: i == 0, Data: make([]byte, 1<<20)}) {
			taken++
		}
	}
	if taken != maxQueueBytes>>20 || q.overflows() != 1 {
		t.Errorf("%d units of a megabyte were taken, %d overflows", taken, q.overflows())
	}
}

func TestFeedWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newFeed()
		got := make(chan media.AccessUnit)
		go func() {
			defer close(got)
			for {
				au, ok := q.take()
				if !ok {
					return
				}
				got <- au
			}
		}()
		synctest.Wait()
		q.push(media.AccessUnit{DTS: 7, RandomAccess: true})
		if au := <-got; au.DTS != 7 {
			t.Errorf("got %d", au.DTS)
		}
		synctest.Wait()
		q.close()
		if _, ok := <-got; ok {
			t.Error("something came after the end")
		}
	})
}
