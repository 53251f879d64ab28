package ffmpeg

import (
	"sync"
	"time"

	"pushcart/media"
)

// Bounds are those of the queue in front of a process.
type Bounds struct {
	Bytes int
	// Time is the media time that may wait when ffmpeg keeps up: viewers of what it makes are behind by as much.
	Time time.Duration
}

// queueStarting is the media time that may wait until what is made has joined the show: what there was of it when the process
// began, and what comes until ffmpeg is there.
const queueStarting = 15 * time.Second

// Piece is a unit on its way into a process.
type Piece struct {
	In   int           // place of its stream in Order.Ins
	At   time.Duration // its decoding time in the show
	Unit media.AccessUnit
}

// queue is what waits in front of a process. Who puts pieces in never waits: when ffmpeg does not keep up, all that is
// in the queue goes, and what comes until the next piece that can be decoded by itself.
type queue struct {
	bounds Bounds

	mu       sync.Mutex // guards what follows
	pieces   []Piece
	bytes    int
	most     time.Duration // from the first piece to the last
	skipping bool          // until a piece can be decoded by itself
	closed   bool
	dropped  int // times that the queue was full

	wake chan struct{} // holds a token when there may be something to take
}

func newQueue(b Bounds) *queue {
	return &queue{bounds: b, most: queueStarting, skipping: true, wake: make(chan struct{}, 1)}
}

// settle makes the queue as short as it may be when ffmpeg keeps up.
func (q *queue) settle() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = q.bounds.Time
}

// push puts a piece in. It reports whether that has been taken.
func (q *queue) push(p Piece) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.skipping && !p.Unit.RandomAccess {
		return false
	}
	if len(q.pieces) > 0 && (q.bytes+len(p.Unit.Data) > q.bounds.Bytes || p.At-q.pieces[0].At > q.most) {
		clear(q.pieces)
		q.pieces, q.bytes = q.pieces[:0], 0
		q.dropped++
		if !p.Unit.RandomAccess {
			q.skipping = true
			return false
		}
	}
	q.skipping = false
	q.pieces = append(q.pieces, p)
	q.bytes += len(p.Unit.Data)
	q.signal()
	return true
}

// take waits for the next piece. It returns false when the queue is closed. It is for one goroutine.
func (q *queue) take() (Piece, bool) {
	for {
		q.mu.Lock()
		switch {
		case q.closed:
			q.mu.Unlock()
			return Piece{}, false
		case len(q.pieces) > 0:
			p := q.pieces[0]
			q.pieces[0] = Piece{}
			q.pieces = q.pieces[1:]
			q.bytes -= len(p.Unit.Data)
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
