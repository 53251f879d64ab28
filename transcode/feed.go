package transcode

import (
	"sync"
	"time"

	"pushcart/media"
)

const (
	// maxQueueBytes bounds the queue in front of ffmpeg.
	maxQueueBytes = 24 << 20
	// queueStarting is the media time that may wait while ffmpeg starts: a GOP, and what comes until it is there.
	queueStarting = 15 * time.Second
	// queueRunning is the media time that may wait afterwards: viewers of the rungs are behind by as much.
	queueRunning = 2 * time.Second
)

// feed is the queue of pictures in front of ffmpeg. Who puts them in never waits: when ffmpeg does not keep up,
// all that is in the queue goes, and what comes until the next keyframe.
type feed struct {
	mu       sync.Mutex // guards what follows
	units    []media.AccessUnit
	bytes    int
	most     int64 // ticks from the first unit to the last
	skipping bool  // until the next keyframe
	closed   bool
	dropped  int // times that the queue was full

	wake chan struct{} // holds a token when there may be something to take
}

func newFeed() *feed {
	return &feed{most: media.Ticks(queueStarting, videoTimescale), skipping: true, wake: make(chan struct{}, 1)}
}

// settle makes the queue as short as it may be when ffmpeg keeps up.
func (q *feed) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = media.Ticks(queueRunning, videoTimescale)
}

// push puts a picture in. It reports whether it has been taken.
func (q *feed) push(au media.AccessUnit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.skipping && !au.RandomAccess {
		return false
	}
	if n := len(q.units); n > 0 && (q.bytes+len(au.Data) > maxQueueBytes || au.DTS-q.units[0].DTS > q.most) {
		clear(q.units)
		q.units, q.bytes = q.units[:0], 0
		q.dropped++
		if !au.RandomAccess {
			q.skipping = true
			return false
		}
	}
	q.skipping = false
	q.units = append(q.units, au)
	q.bytes += len(au.Data)
	q.signal()
	return true
}

// take waits for the next picture. It returns false when the queue is closed.
func (q *feed) take() (media.AccessUnit, bool) {
	for {
		q.mu.Lock()
		switch {
		case q.closed:
			q.signal() // for whoever else waits
			q.mu.Unlock()
			return media.AccessUnit{}, false
		case len(q.units) > 0:
			au := q.units[0]
			q.units[0] = media.AccessUnit{}
			q.units = q.units[1:]
			q.bytes -= len(au.Data)
			q.mu.Unlock()
			return au, true
		}
		q.mu.Unlock()
		<-q.wake
	}
}

// overflows returns how often the queue has been emptied because it was full.
func (q *feed) overflows() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// close ends take.
func (q *feed) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.units = nil
	q.signal()
}

// signal leaves a token. The caller holds the lock.
func (q *feed) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
