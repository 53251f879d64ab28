package sound

import (
	"sync"
	"time"

	"pushcart/media"
)

const (
	// maxQueueBytes bounds the queue in front of ffmpeg.
	maxQueueBytes = 8 << 20
	// queueStarting is the media time that may wait while ffmpeg starts: what there is of the show, and what comes until it
	// is there. queueRunning is what may wait afterwards.
	queueStarting = 15 * time.Second
	queueRunning  = 4 * time.Second
)

// piece is a unit of an input on its way into ffmpeg.
type piece struct {
	input int
	at    time.Duration // when it is heard
	unit  media.AccessUnit
}

// queue is what waits in front of ffmpeg. Who puts pieces in never waits: when ffmpeg does not keep up, all that is in
// the queue goes, and silence takes its place.
type queue struct {
	mu      sync.Mutex // guards what follows
	pieces  []piece
	bytes   int
	most    time.Duration // from the first piece to the last
	closed  bool
	dropped int // times that the queue was full

	wake chan struct{} // holds a token when there may be something to take
}

func newQueue() *queue {
	return &queue{most: queueStarting, wake: make(chan struct{}, 1)}
}

// settle makes the queue as short as it may be when ffmpeg keeps up.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = queueRunning
}

// push puts a piece in.
func (q *queue) push(p piece) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pieces) > 0 && (q.bytes+len(p.unit.Data) > maxQueueBytes || p.at-q.pieces[0].at > q.most) {
		clear(q.pieces)
		q.pieces, q.bytes = q.pieces[:0], 0
		q.dropped++
	}
	q.pieces = append(q.pieces, p)
	q.bytes += len(p.unit.Data)
	q.signal()
}

// take waits for the next piece. It returns false when the queue is closed.
func (q *queue) take() (piece, bool) {
	for {
		q.mu.Lock()
		switch {
		case q.closed:
			q.mu.Unlock()
			return piece{}, false
		case len(q.pieces) > 0:
			p := q.pieces[0]
			q.pieces[0] = piece{}
			q.pieces = q.pieces[1:]
			q.bytes -= len(p.unit.Data)
			q.mu.Unlock()
			return p, true
		}
		q.mu.Unlock()
		<-q.wake
	}
}

// overflows returns how often the queue has been emptied because it was full.
func (q *queue) overflows() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// close ends take.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.pieces = nil
	q.signal()
}

// signal leaves a token. The caller holds the lock.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
