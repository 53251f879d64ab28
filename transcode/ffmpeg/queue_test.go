package ffmpeg

import (
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
)

// picture is picture i of 30 a second, one of which can be decoded by itself.
func picture(i int) Piece {
	return Piece{At: time.Duration(i) * time.Second / 30, Unit: media.AccessUnit{DTS: int64(i), RandomAccess: i%30 == 0, Data: []byte{byte(i)}}}
}

// TestQueue lets the queue fill up: all that waits goes, and what comes until the next keyframe.
func TestQueue(t *testing.T) {
	q := newQueue(Bounds{Bytes: 1 << 20, Time: 2 * time.Second})
	q.settle()
	if q.push(picture(29)) {
		t.Error("it began without a keyframe")
	}
	for i := 30; i <= 90; i++ {
		if !q.push(picture(i)) {
			t.Fatalf("%d was not taken", i)
		}
	}
	for i := 91; i < 120; i++ {
		if q.push(picture(i)) {
			t.Fatalf("%d was taken", i)
		}
	}
	if !q.push(picture(120)) || q.overflows() != 1 {
		t.Errorf("%d overflows", q.overflows())
	}
	if p, ok := q.take(); !ok || p.Unit.DTS != 120 {
		t.Errorf("%d came first, %v", p.Unit.DTS, ok)
	}
	if q.bytes != 0 {
		t.Errorf("%d bytes in an empty queue", q.bytes)
	}
}

// TestQueueOfSound: what is too much goes, all of it, and what follows can be used at once. There is more room while
// ffmpeg starts.
func TestQueueOfSound(t *testing.T) {
	const running = 4 * time.Second
	q := newQueue(Bounds{Bytes: 1 << 20, Time: running})
	put := func(from, to time.Duration) {
		for at := from; at < to; at += 100 * time.Millisecond {
			if !q.push(Piece{At: at, Unit: media.AccessUnit{RandomAccess: true, Data: make([]byte, 100)}}) {
				t.Fatalf("%v was not taken", at)
			}
		}
	}
	put(0, queueStarting)
	if q.overflows() != 0 {
		t.Fatal("it is full too early")
	}
	q.settle()
	put(queueStarting, queueStarting+running)
	if q.overflows() != 1 {
		t.Errorf("full %d times", q.overflows())
	}
	if p, ok := q.take(); !ok || p.At != queueStarting {
		t.Errorf("what is left begins at %v", p.At)
	}
}

func TestQueueBytes(t *testing.T) {
	q := newQueue(Bounds{Bytes: 24 << 20, Time: time.Hour})
	taken := 0
	for i := range 100 {
		if q.push(Piece{Unit: media.AccessUnit{RandomAccess: i == 0, Data: make([]byte, 1<<20)}}) {
			taken++
		}
	}
	if taken != 24 || q.overflows() != 1 {
		t.Errorf("%d units of a megabyte were taken, %d overflows", taken, q.overflows())
	}
}

func TestQueueWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(Bounds{Bytes: 1, Time: time.Second})
		got := make(chan Piece)
		go func() {
			defer close(got)
			for {
				p, ok := q.take()
				if !ok {
					return
				}
				got <- p
			}
		}()
		synctest.Wait()
		q.push(Piece{Unit: media.AccessUnit{DTS: 7, RandomAccess: true}})
		if p := <-got; p.Unit.DTS != 7 {
			t.Errorf("got %d", p.Unit.DTS)
		}
		synctest.Wait()
		q.close()
		if _, ok := <-got; ok {
			t.Error("something came after the end")
		}
	})
}

// TestOverflows: three within a minute are too many, and any number over days are not.
func TestOverflows(t *testing.T) {
	var often, rarely Overflows
	at := time.Now()
	for i := range 5 {
		if got, want := often.TooMany(at.Add(time.Duration(i)*WatchEvery), i), i >= MaxOverflows; got != want {
			t.Errorf("%d in a row: %v", i, got)
		}
		if rarely.TooMany(at.Add(time.Duration(i)*24*time.Hour), i) {
			t.Errorf("%d in as many days are too many", i)
		}
	}
}
